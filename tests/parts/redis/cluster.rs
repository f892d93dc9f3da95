//! A Cluster: three primaries, and a replica of each.

use super::super::until_within;
use super::{AGREEMENT, Redis};
use std::net::SocketAddr;

const PRIMARIES: u16 = 3;
const SLOTS: u16 = 16384;

/// Its nodes; each is killed when this is dropped.
pub(crate) struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts, and waits until each node says that all is well.
    pub(crate) async fn start() -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..2 * PRIMARIES {
            let bus = super::super::free_address().port();
            let mut options = Redis::options().with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "3000",
                "--cluster-replica-validity-factor",
                "0",
            ]);
            // Redis 6.2 has its bus 10000 ports above the other.
            if super::version() != "redis-6.2" {
                options = options.with(&["--cluster-port", &bus.to_string()]);
            }
            nodes.push(options.start().await);
            buses.push(bus);
        }
        let cluster = Self { nodes };
        cluster.meet(&buses);
        cluster.share_slots();
        cluster
            .settled("everybody knows everybody", |node| {
                node.cli(&["cluster", "nodes"]).lines().count() == cluster.nodes.len()
            })
            .await;
        let (primaries, replicas) = cluster.nodes.split_at(PRIMARIES.into());
        for (replica, primary) in replicas.iter().zip(primaries) {
            let id = primary.cli(&["cluster", "myid"]);
            assert_eq!(replica.cli(&["cluster", "replicate", &id]), "OK");
        }
        cluster
            .settled("the Cluster is well", |node| {
                let linked = node.info("replication", "role") == "master"
                    || node.info("replication", "master_link_status") == "up";
                linked && well(node)
            })
            .await;
        cluster
    }

    /// Where its nodes listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(Redis::address).collect()
    }

    /// The living primary that has the slot of a key.
    pub(crate) fn node_of(&mut self, key: &str) -> Option<&mut Redis> {
        let port = self.nodes.iter().find_map(|node| owner(node, key))?;
        let mut nodes = self.nodes.iter_mut();
        nodes.find(|node| node.address().port() == port)
    }

    /// Kills the primary that has the slot of a key, waits until its replica has taken its place, and
    /// returns that.
    pub(crate) async fn kill_node_of(&mut self, key: &str) -> SocketAddr {
        let node = self.node_of(key).expect("a node");
        let old = node.address().port();
        node.kill();
        let mut new = None;
        until_within(AGREEMENT, "a replica takes its place", async || {
            let alive = self
                .nodes
                .iter()
                .filter(|node| node.address().port() != old);
            let alive: Vec<_> = alive.collect();
            new = owner(alive[0], key).filter(|port| *port != old);
            new.is_some()
                && alive
                    .iter()
                    .all(|node| owner(node, key) == new && well(node))
        })
        .await;
        SocketAddr::from(([127, 0, 0, 1], new.expect("a port")))
    }

    fn meet(&self, buses: &[u16]) {
        for (node, bus) in self.nodes.iter().zip(buses).skip(1) {
            let port = node.address().port().to_string();
            let mut meet = vec!["cluster", "meet", "127.0.0.1", &port];
            let bus = bus.to_string();
            if super::version() != "redis-6.2" {
                meet.push(&bus);
            }
            assert_eq!(self.nodes[0].cli(&meet), "OK");
        }
    }

    fn share_slots(&self) {
        let share = SLOTS.div_ceil(PRIMARIES);
        for (node, number) in self.nodes.iter().zip(0..PRIMARIES) {
            let slots = number * share..SLOTS.min((number + 1) * share);
            let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
            let mut add = vec!["cluster", "addslots"];
            add.extend(slots.iter().map(String::as_str));
            assert_eq!(node.cli(&add), "OK");
        }
    }

    async fn settled(&self, what: &str, is_it: impl Fn(&Redis) -> bool) {
        until_within(AGREEMENT, what, async || self.nodes.iter().all(&is_it)).await;
    }
}

fn well(node: &Redis) -> bool {
    node.cli(&["cluster", "info"]).contains("cluster_state:ok")
}

/// The port of the primary that has the slot of a key, as a node sees it; none from a dead node.
fn owner(node: &Redis, key: &str) -> Option<u16> {
    let slot: u16 = node.cli(&["cluster", "keyslot", key]).parse().ok()?;
    let nodes = node.cli(&["cluster", "nodes"]);
    nodes.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let flags: Vec<&str> = fields[2].split(',').collect();
        let has_it = fields[8..].iter().any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let bounds = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
            bounds.is_some_and(|(first, last)| (first..=last).contains(&slot))
        });
        let address = fields[1].split('@').next()?;
        let port = address.rsplit(':').next()?.parse().ok()?;
        (has_it && flags.contains(&"master") && !flags.contains(&"fail")).then_some(port)
    })
}
