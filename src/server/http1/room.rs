//! Who is in at once: whoever comes finds room, as long as not all of it is taken by those who proved
//! who they are.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

/// The share of the room that unproven connections of one peer may take, as one part of so many.
const PEERS: usize = 4;

/// Room for so many connections.
///
/// One that comes to a full room takes the place of the oldest that has proved nothing: whoever opens
/// connections to say nothing shuts nobody out. One peer displaces its own first.
#[derive(Clone, Debug)]
pub(super) struct Room {
    places: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    inside: Mutex<Inside>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    /// By the order in which they came.
    connections: BTreeMap<u64, Connection>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    peer: Option<Peer>,
    proven: bool,
    /// Its end is that of the connection; `None` until it is served.
    serving: Option<AbortOnDropHandle<()>>,
}

/// Where connections come from: an address, or the 64 bits that an IPv6 network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Peer(IpAddr);

/// A connection's own word for itself.
#[derive(Clone, Debug)]
pub(in crate::server) struct Proof {
    shared: Arc<Shared>,
    number: u64,
}

/// Leaves the room when dropped.
#[derive(Debug)]
pub(super) struct Stay(Proof);

impl Room {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            shared: Arc::default(),
        }
    }

    /// Serves a connection in a place of its own, once there is one. One lets in at a time.
    pub(super) async fn let_in<F>(&self, from: Option<IpAddr>, serve: impl FnOnce(Stay) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let peer = from.map(Peer::of);
        while !self.makes_way(peer) {
            self.shared.left.notified().await;
        }
        let number = self.shared.inside.lock().enter(peer);
        let stay = Stay(Proof {
            shared: Arc::clone(&self.shared),
            number,
        });
        // It may end at once, and leave the room: a runtime that is closing drops it here.
        let serving = AbortOnDropHandle::new(tokio::spawn(serve(stay)));
        let connections = &mut self.shared.inside.lock().connections;
        if let Some(connection) = connections.get_mut(&number) {
            connection.serving = Some(serving);
        }
    }

    /// Sees to a place for one more; whether there is one.
    fn makes_way(&self, peer: Option<Peer>) -> bool {
        let mut inside = self.shared.inside.lock();
        let its_own = inside.unproven().filter(|(_, from)| *from == peer).count();
        let too_many = peer.is_some() && its_own >= (self.places / PEERS).max(1);
        if !too_many && inside.connections.len() < self.places {
            return true;
        }
        let goes = |from| !too_many || from == peer;
        let oldest = inside.unproven().find(|(_, from)| goes(*from));
        let oldest = oldest.map(|(number, _)| number);
        let gone = oldest.and_then(|number| inside.connections.remove(&number));
        // What its end may run must find the room open.
        drop(inside);
        gone.is_some()
    }
}

impl Inside {
    /// Gives one more a place, under its number.
    fn enter(&mut self, peer: Option<Peer>) -> u64 {
        let number = self.next;
        self.next += 1;
        let connection = Connection {
            peer,
            proven: false,
            serving: None,
        };
        self.connections.insert(number, connection);
        number
    }

    /// Those that proved nothing, the oldest first, and where they come from.
    fn unproven(&self) -> impl Iterator<Item = (u64, Option<Peer>)> {
        let unproven = self.connections.iter().filter(|(_, one)| !one.proven);
        unproven.map(|(number, one)| (*number, one.peer))
    }
}

impl Peer {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl Stay {
    pub(super) const fn proof(&self) -> &Proof {
        &self.0
    }
}

impl Proof {
    /// Whoever is at the other end may be here: the connection gives way to nobody any more.
    pub(in crate::server) fn give(&self) {
        let connections = &mut self.shared.inside.lock().connections;
        if let Some(connection) = connections.get_mut(&self.number) {
            connection.proven = true;
        }
    }

    pub(super) fn is_given(&self) -> bool {
        let connections = &self.shared.inside.lock().connections;
        connections.get(&self.number).is_some_and(|one| one.proven)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let Proof { shared, number } = &self.0;
        let gone = shared.inside.lock().connections.remove(number);
        drop(gone);
        shared.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;
    use std::pin::pin;
    use tokio::sync::oneshot;

    #[test]
    fn a_runtime_that_closes_holds_nobody_up() {
        let (ended, end) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let handle = runtime.handle().clone();
            drop(runtime);
            let room = Room::new(1);
            let _entered = handle.enter();
            // What is spawned now is dropped on the spot.
            let let_in = room.let_in(None, |stay| async move { drop(stay) });
            let mut let_in = pin!(let_in);
            let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
            assert!(let_in.as_mut().poll(context).is_ready());
            assert_eq!(room.shared.inside.lock().connections.len(), 0);
            ended.send(()).unwrap();
        });
        let patience = std::time::Duration::from_secs(20);
        end.recv_timeout(patience)
            .expect("no one waits for himself");
    }

    /// Lets in one who stays until he is told to go; his proof, and how he is told.
    async fn come(room: &Room, from: &str) -> (Proof, oneshot::Sender<()>) {
        let (go, told) = oneshot::channel();
        let mut proof = None;
        let serve = |stay: Stay| {
            proof = Some(stay.proof().clone());
            async move {
                let _stays = stay;
                let _told = told.await;
            }
        };
        room.let_in(from.parse().ok(), serve).await;
        (proof.unwrap(), go)
    }

    /// The numbers of those inside.
    fn inside(room: &Room) -> Vec<u64> {
        let inside = room.shared.inside.lock();
        inside.connections.keys().copied().collect()
    }

    #[tokio::test]
    async fn whoever_comes_to_a_full_room_takes_the_place_of_the_oldest_that_proved_nothing() {
        let room = Room::new(3);
        let (first, _stays) = come(&room, "192.0.2.1").await;
        first.give();
        let (_second, mut told) = come(&room, "192.0.2.2").await;
        let _third = come(&room, "192.0.2.3").await;
        let _fourth = come(&room, "192.0.2.4").await;
        assert_eq!(inside(&room), [0, 2, 3]);
        assert!(first.is_given());
        // The connection itself has ended.
        told.closed().await;
        let _fifth = come(&room, "unix").await;
        assert_eq!(inside(&room), [0, 3, 4]);
    }

    #[tokio::test]
    async fn one_peer_displaces_its_own_and_an_ipv6_network_is_one_peer() {
        let room = Room::new(8);
        let (operator, _stays) = come(&room, "2001:db8::1").await;
        let mut flood = Vec::new();
        for host in 1..20 {
            flood.push(come(&room, &format!("2001:db8:0:1::{host}")).await);
        }
        assert_eq!(inside(&room), [0, 18, 19]);
        let _mapped = come(&room, "::ffff:192.0.2.1").await;
        let _plain = come(&room, "192.0.2.1").await;
        let _more = come(&room, "192.0.2.1").await;
        assert_eq!(inside(&room), [0, 18, 19, 21, 22]);
        assert!(!operator.is_given());
    }

    #[tokio::test]
    async fn those_who_proved_who_they_are_keep_their_places_until_they_leave() {
        let room = Room::new(2);
        let (first, go) = come(&room, "192.0.2.1").await;
        let (second, goes) = come(&room, "192.0.2.1").await;
        assert_eq!(inside(&room), [1], "a quarter of two is one");
        let (third, _stays) = come(&room, "192.0.2.2").await;
        second.give();
        third.give();
        drop((first, go));
        let mut fourth = pin!(come(&room, "192.0.2.3"));
        assert!(poll!(&mut fourth).is_pending());
        drop(goes);
        let _fourth = fourth.await;
        assert_eq!(inside(&room), [2, 3]);
    }
}
