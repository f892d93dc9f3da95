//! The admin listener of a process, with what opens it.

use super::administration::Desk;
use super::{BuildError, Parts};
use crate::clock::Clock;
use crate::lifecycle::Lifecycle;
use crate::net::listen::{Address, Listener, bind};
use crate::net::tls::Acceptor;
use crate::net::watch::Watch;
use crate::server::admin::{self, Admin, Token};
use std::sync::Arc;

/// Where an operator comes in.
#[derive(Debug)]
pub(super) struct Office {
    listener: Listener,
    tls: Option<(Acceptor, Watch)>,
    admin: Admin,
    token_watch: Watch,
}

impl Office {
    /// Opens it; nothing is served yet.
    pub(super) async fn open(
        config: &admin::Config,
        parts: &Parts,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let tls_watch = config.tls.as_ref().map(|tls| Watch::new(tls.files()));
        let acceptor = config.tls.as_ref().map(Acceptor::http1).transpose();
        let token_watch = Watch::new(vec![config.token_file.clone()]);
        Ok(Self {
            tls: acceptor.map_err(BuildError::AdminTls)?.zip(tls_watch),
            token_watch,
            admin: Admin {
                administration: Arc::new(Desk::new(parts, clock)),
                token: Token::open(config.token_file.clone())?,
            },
            listener: bind(&config.address).await?,
        })
    }

    pub(super) fn local_addr(&self) -> Address {
        self.listener.local_addr()
    }

    /// Serves, and follows the files, for as long as the process lives.
    pub(super) fn serve(self, lifecycle: &Lifecycle) {
        let Self {
            listener,
            tls,
            admin,
            token_watch,
        } = self;
        let address = listener.local_addr();
        tracing::info!(listener = "admin", %address, "listening");
        let token = admin.token.clone();
        let following = token_watch.follow("listen.admin_token_file", move || token.reload());
        lifecycle.keep("admin token", following);
        let acceptor = tls.map(|(acceptor, watch)| {
            let following = acceptor.clone();
            let following = watch.follow("listen.admin_tls", move || following.reload());
            lifecycle.keep("admin_tls", following);
            acceptor
        });
        lifecycle.keep("admin", admin::serve(listener, acceptor, admin));
    }
}
