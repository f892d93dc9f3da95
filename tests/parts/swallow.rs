//! A proxy that can lose what it is given.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// A running proxy; it is gone, with its connections, when it is dropped.
pub(crate) struct Swallow {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Whether it listens, and how many of the connections it had are cut.
    state: watch::Receiver<State>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mode {
    listens: bool,
    delivers: bool,
    /// How often all connections were cut.
    cuts: u64,
}

type State = (bool, u64);

impl Swallow {
    /// Starts in front of a server, and passes everything on.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(super::free_address())
            .await
            .expect("a free address");
        let address = listener.local_addr().expect("an address");
        let (mode, modes) = watch::channel(Mode {
            listens: true,
            delivers: true,
            cuts: 0,
        });
        let (tell, state) = watch::channel((true, 0));
        let task = tokio::spawn(run(listener, address, server, modes, tell));
        Self {
            address,
            mode,
            state,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes on what comes from now on.
    pub(crate) async fn pass(&self) {
        self.change(|mode| (mode.listens, mode.delivers) = (true, true))
            .await;
    }

    /// Takes what comes and delivers nothing of it, either way; connections stay, and new ones are taken.
    pub(crate) async fn swallow(&self) {
        self.change(|mode| (mode.listens, mode.delivers) = (true, false))
            .await;
    }

    /// Closes all connections; new ones are taken as before.
    pub(crate) async fn cut(&self) {
        self.change(|mode| mode.cuts += 1).await;
    }

    /// Closes all connections, and takes no new ones.
    pub(crate) async fn refuse(&self) {
        self.change(|mode| {
            mode.listens = false;
            mode.cuts += 1;
        })
        .await;
    }

    async fn change(&self, change: impl FnOnce(&mut Mode)) {
        self.mode.send_modify(change);
        let now = *self.mode.borrow();
        let mut state = self.state.clone();
        let reached = state.wait_for(|state| *state == (now.listens, now.cuts));
        let _state = reached.await.expect("the proxy runs");
    }
}

async fn run(
    listener: TcpListener,
    address: SocketAddr,
    server: SocketAddr,
    mut modes: watch::Receiver<Mode>,
    tell: watch::Sender<State>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    let mut cuts = 0;
    loop {
        let mode = *modes.borrow_and_update();
        if mode.cuts != cuts {
            cuts = mode.cuts;
            connections.shutdown().await;
        }
        if !mode.listens {
            listener = None;
        } else if listener.is_none() {
            listener = Some(again(address).await);
        }
        tell.send_replace((mode.listens, cuts));
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = modes.changed() => if changed.is_err() { return },
            accepted = accepted => if let Ok((client, _)) = accepted {
                connections.spawn(carry(client, server, modes.clone()));
            },
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Listens where it did before. A process that was started meanwhile holds the closed socket until it
/// runs its program.
async fn again(address: SocketAddr) -> TcpListener {
    loop {
        if let Ok(listener) = TcpListener::bind(address).await {
            return listener;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn carry(client: TcpStream, server: SocketAddr, modes: watch::Receiver<Mode>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, modes.clone()) => {}
        () = pump(from_server, to_client, modes) => {}
    }
}

/// Carries one way until its reader ends; while it swallows, also that end is not passed on.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut modes: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let delivers = modes.borrow().delivers;
        if delivers && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    let _until_then = modes.wait_for(|mode| mode.delivers).await;
}
