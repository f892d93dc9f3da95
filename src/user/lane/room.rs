//! Room for so many attempts, and a short queue before it: known users first.

use super::Lane;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Seats for attempts. Strangers take at most half of them, and get a seat only when no known user
/// waits for it; but one, where there is more than one, is theirs before that, so that they are
/// never shut out.
#[derive(Debug)]
pub(super) struct Room {
    seats: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug)]
struct Taken {
    known: Queue,
    strangers: Queue,
}

/// Those who sit, those who may at most, and those who wait: as many at most.
#[derive(Debug)]
struct Queue {
    sit: usize,
    most: usize,
    wait: VecDeque<oneshot::Sender<Seat>>,
}

/// A seat, given to the next when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    lane: Lane,
    taken: Arc<Mutex<Taken>>,
}

impl Room {
    pub(super) fn new(seats: usize) -> Self {
        let seats = seats.max(1);
        let queue = |most| Queue {
            sit: 0,
            most,
            wait: VecDeque::new(),
        };
        let taken = Taken {
            known: queue(seats),
            strangers: queue((seats / 2).max(1)),
        };
        Self {
            seats,
            taken: Arc::new(Mutex::new(taken)),
        }
    }

    /// A seat, if one is free now.
    pub(super) fn free(&self, lane: Lane) -> Option<Seat> {
        self.sit(&mut self.taken.lock(), lane)
    }

    /// A seat, as soon as one is free; `None` at once if too many wait already.
    pub(super) async fn wait(&self, lane: Lane) -> Option<Seat> {
        let seat = {
            let taken = &mut *self.taken.lock();
            if let Some(seat) = self.sit(taken, lane) {
                return Some(seat);
            }
            let queue = taken.queue(lane);
            queue.wait.retain(|waiting| !waiting.is_closed());
            if queue.wait.len() >= queue.most {
                return None;
            }
            let (give, seat) = oneshot::channel();
            queue.wait.push_back(give);
            seat
        };
        seat.await.ok()
    }

    /// Seats taken, and those who wait.
    pub(super) fn now(&self) -> (usize, usize) {
        let taken = &*self.taken.lock();
        let waiting = [&taken.known, &taken.strangers].map(Queue::waiting);
        (taken.sit(), waiting.iter().sum())
    }

    /// A seat that is free is nobody's who waits: those were given theirs when it became free.
    fn sit(&self, taken: &mut Taken, lane: Lane) -> Option<Seat> {
        let free = taken.sit() < self.seats;
        let queue = taken.queue(lane);
        (free && queue.sit < queue.most).then(|| {
            queue.sit += 1;
            Seat {
                lane,
                taken: Arc::clone(&self.taken),
            }
        })
    }
}

impl Taken {
    fn sit(&self) -> usize {
        self.known.sit + self.strangers.sit
    }

    fn queue(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Known => &mut self.known,
            Lane::Stranger => &mut self.strangers,
        }
    }

    /// Who gets a seat that became free.
    fn next(&mut self) -> Option<(Lane, oneshot::Sender<Seat>)> {
        let strangers = &self.strangers;
        let shut_out = strangers.sit == 0 && self.known.most > 1;
        let order = if shut_out {
            [Lane::Stranger, Lane::Known]
        } else {
            [Lane::Known, Lane::Stranger]
        };
        order.into_iter().find_map(|lane| {
            let queue = self.queue(lane);
            let give = queue.next()?;
            queue.sit += 1;
            Some((lane, give))
        })
    }
}

impl Queue {
    fn next(&mut self) -> Option<oneshot::Sender<Seat>> {
        if self.sit >= self.most {
            return None;
        }
        // Whoever left does not wait.
        std::iter::from_fn(|| self.wait.pop_front()).find(|waiting| !waiting.is_closed())
    }

    fn waiting(&self) -> usize {
        let waiting = self.wait.iter().filter(|waiting| !waiting.is_closed());
        waiting.count()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let next = {
            let taken = &mut *self.taken.lock();
            taken.queue(self.lane).sit -= 1;
            taken.next()
        };
        if let Some((lane, give)) = next {
            let taken = Arc::clone(&self.taken);
            // Whoever left at this moment gives it on by dropping it.
            let _given = give.send(Self { lane, taken });
        }
    }
}
