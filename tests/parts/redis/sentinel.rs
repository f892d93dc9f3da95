//! A primary, two replicas and three Sentinels that watch them.

use super::super::until_within;
use super::{AGREEMENT, Redis};
use std::net::SocketAddr;

/// The name under which the Sentinels know the primary.
pub(crate) const NAME: &str = "subgate";

/// They all; each is killed when this is dropped.
pub(crate) struct Sentinel {
    servers: Vec<Redis>,
    sentinels: Vec<Redis>,
}

impl Sentinel {
    /// Starts, and waits until the Sentinels know all replicas and one another.
    pub(crate) async fn start() -> Self {
        let primary = Redis::start().await;
        let at = primary.address();
        let first = Redis::options().replica_of(at).start().await;
        let second = Redis::options().replica_of(at).start().await;
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            let text = format!(
                "sentinel monitor {NAME} {} {} 2\n\
                 sentinel down-after-milliseconds {NAME} 2000\n\
                 sentinel failover-timeout {NAME} 3000\n",
                at.ip(),
                at.port()
            );
            let sentinel = Redis::options().sentinel(text).start().await;
            // Redis 6.2 does not know it, and takes seconds longer.
            sentinel.cli(&[
                "sentinel",
                "debug",
                "info-period",
                "200",
                "publish-period",
                "100",
                "ping-period",
                "100",
                "tilt-period",
                "2000",
            ]);
            sentinels.push(sentinel);
        }
        let all = Self {
            servers: vec![primary, first, second],
            sentinels,
        };
        until_within(AGREEMENT, "the Sentinels know everybody", async || {
            all.sentinels.iter().all(|sentinel| {
                known(sentinel, "num-slaves") == 2 && known(sentinel, "num-other-sentinels") == 2
            }) && all.servers[1..].iter().all(linked)
        })
        .await;
        all
    }

    /// Where the Sentinels listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().map(Redis::address).collect()
    }

    /// The server that most Sentinels say is the primary.
    pub(crate) fn primary_now(&self) -> SocketAddr {
        let said: Vec<_> = self.sentinels.iter().map(told).collect();
        let most = said
            .iter()
            .max_by_key(|one| said.iter().filter(|other| other == one).count());
        *most.expect("a primary")
    }

    /// The server that is the primary.
    pub(crate) fn primary(&mut self) -> &mut Redis {
        let now = self.primary_now();
        let mut servers = self.servers.iter_mut();
        servers
            .find(|server| server.address() == now)
            .expect("a server of ours")
    }

    /// Kills the primary, waits until all Sentinels name another that is one, and returns it.
    pub(crate) async fn kill_primary(&mut self) -> SocketAddr {
        let old = self.primary_now();
        self.primary().kill();
        until_within(AGREEMENT, "there is another primary", async || {
            let now = told(&self.sentinels[0]);
            let agreed = self.sentinels.iter().all(|sentinel| told(sentinel) == now);
            agreed && now != old && self.primary().info("replication", "role") == "master"
        })
        .await;
        self.primary_now()
    }
}

fn linked(replica: &Redis) -> bool {
    replica.info("replication", "master_link_status") == "up"
}

fn told(sentinel: &Redis) -> SocketAddr {
    let said = sentinel.cli(&["sentinel", "get-master-addr-by-name", NAME]);
    let address = said.replace('\n', ":").parse();
    address.unwrap_or_else(|_| panic!("an address: {said:?}"))
}

fn known(sentinel: &Redis, field: &str) -> u64 {
    let said = sentinel.cli(&["sentinel", "master", NAME]);
    let mut lines = said.lines().skip_while(|line| *line != field);
    lines
        .nth(1)
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}
