use super::super::held::tests::signed;
use super::*;
use crate::load::Load;
use parking_lot::Mutex;
use std::collections::VecDeque;

const WALL: Timestamp = Timestamp::from_secs(1_790_000_000);

/// A wall clock that goes with tokio's.
#[derive(Debug)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        WALL.plus(self.0.elapsed())
    }
}

type Answers = Arc<Mutex<VecDeque<Signed>>>;

/// A list, what is answered to its fetches, and how many there were.
struct Scene {
    kept: Kept,
    clock: Arc<Paused>,
    answers: Answers,
    fetches: Arc<AtomicU64>,
    gone: Arc<AtomicU64>,
}

impl Scene {
    /// Each fetch takes a second; without an answer prepared it fails.
    fn start(answers: impl IntoIterator<Item = Signed>) -> Self {
        let answers: Answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let [fetches, gone] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let clock = Arc::new(Paused(Instant::now()));
        let rules = Rules {
            leeway: Duration::ZERO,
            max_stale: Duration::from_secs(86_400),
        };
        let (from, count) = (Arc::clone(&answers), Arc::clone(&fetches));
        let fetch = move || {
            let (from, count) = (Arc::clone(&from), Arc::clone(&count));
            async move {
                let began = Instant::now();
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                let answer = from.lock().pop_front();
                Some((began, answer.ok_or(ListError::Status(503))))
            }
        };
        let going = Arc::clone(&gone);
        let kept = Kept::start(
            rules,
            Arc::clone(&clock) as Arc<dyn Clock>,
            fetch,
            |_| true,
            move || {
                going.fetch_add(1, Ordering::Relaxed);
            },
        );
        Self {
            kept,
            clock,
            answers,
            fetches,
            gone,
        }
    }

    /// Asks as a request does that may wait for so long.
    async fn ask(&self, index: u64, patience: Duration) -> Result<u8, StatusError> {
        let now = Instant::now();
        match self.kept.say(index, self.clock.now(), now) {
            Known::Status(status) => Ok(status),
            Known::OutOfRange | Known::Nothing => {
                let place = Load::new(1, 1).admit(now + patience).unwrap();
                self.kept.ask(index, self.clock.now(), &place).await
            }
        }
    }

    fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }
}

fn list(list: &[u8], ttl: u64) -> Signed {
    signed(list, WALL, None, Some(Duration::from_secs(ttl)))
}

const LONG: Duration = Duration::from_secs(5);

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_request_waits_for_the_list_and_the_others_find_it() {
    let scene = Scene::start([list(&[0, 1], 600)]);
    let late = scene.ask(0, Duration::from_millis(100)).await;
    assert!(matches!(late, Err(StatusError::Unavailable { .. })));
    assert_eq!(scene.ask(1, LONG).await, Ok(1));
    assert_eq!(scene.ask(0, Duration::ZERO).await, Ok(0));
    assert_eq!(scene.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn tsl_06_a_list_is_refreshed_in_the_background_by_its_own_time_to_live() {
    let scene = Scene::start([list(&[0], 600), list(&[1], 600)]);
    assert_eq!(scene.ask(0, LONG).await, Ok(0));
    // Up to a sixteenth sooner.
    pass(550).await;
    assert_eq!((scene.fetches(), scene.ask(0, LONG).await), (1, Ok(0)));
    pass(55).await;
    assert_eq!(
        (scene.fetches(), scene.ask(0, Duration::ZERO).await),
        (2, Ok(1))
    );
}

#[tokio::test(start_paused = true)]
async fn while_it_cannot_be_refreshed_a_list_serves_as_long_as_it_may_and_then_nothing_passes() {
    let scene = Scene::start([list(&[0], 600)]);
    assert_eq!(scene.ask(0, LONG).await, Ok(0));
    pass(1190).await;
    assert_eq!(scene.ask(0, Duration::ZERO).await, Ok(0));
    pass(20).await;
    let refused = scene.ask(0, LONG).await;
    assert!(matches!(refused, Err(StatusError::Unavailable { .. })));
    // About every half minute.
    let tried = scene.fetches();
    assert!((15..60).contains(&tried), "{tried}");
    scene.answers.lock().push_back(list(&[0], 600));
    pass(62).await;
    assert_eq!(scene.ask(0, Duration::ZERO).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_told_at_once_until_the_next_one() {
    let scene = Scene::start([]);
    pass(60).await;
    while scene.kept.shared.round.borrow().running {
        pass(1).await;
    }
    let (before, fetches) = (Instant::now(), scene.fetches());
    let told = scene.ask(0, LONG).await;
    assert!(matches!(told, Err(StatusError::Unavailable { .. })));
    assert_eq!(
        (before.elapsed(), scene.fetches()),
        (Duration::ZERO, fetches)
    );
}

#[tokio::test(start_paused = true)]
async fn an_index_beyond_the_end_asks_for_a_longer_list_but_not_too_often() {
    let scene = Scene::start([list(&[0], 43_200), list(&[0, 0], 43_200)]);
    let refused = Err(StatusError::Malformed(Fault::OutOfRange));
    assert_eq!(scene.ask(0, LONG).await, Ok(0));
    let before = Instant::now();
    assert_eq!(scene.ask(1, LONG).await, refused);
    assert_eq!(before.elapsed(), Duration::ZERO);
    pass(10).await;
    assert_eq!(scene.ask(1, LONG).await, Ok(0));
    for _ in 0..100 {
        assert_eq!(scene.ask(2, LONG).await, refused);
        pass(1).await;
    }
    let fetches = scene.fetches();
    assert!((8..=13).contains(&fetches), "{fetches}");
}

#[tokio::test(start_paused = true)]
async fn an_older_list_does_not_take_the_place_of_a_newer_one() {
    let older = signed(&[0], WALL.minus(LONG), None, Some(Duration::from_secs(60)));
    let scene = Scene::start([list(&[1], 60), older]);
    assert_eq!(scene.ask(0, LONG).await, Ok(1));
    pass(62).await;
    assert_eq!(
        (scene.fetches() >= 2, scene.ask(0, LONG).await),
        (true, Ok(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_key_was_withdrawn_is_asked_for_again_when_next_needed() {
    let scene = Scene::start([list(&[0], 43_200), list(&[1], 43_200)]);
    assert_eq!(scene.ask(0, LONG).await, Ok(0));
    pass(20).await;
    scene
        .kept
        .shared
        .held
        .load()
        .as_ref()
        .unwrap()
        .key()
        .retire();
    assert_eq!(scene.ask(0, LONG).await, Ok(1));
    assert_eq!(scene.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_nobody_asks_for_is_let_go() {
    let many = std::iter::repeat_with(|| list(&[0], 600)).take(100);
    let scene = Scene::start(many);
    assert_eq!(scene.ask(0, LONG).await, Ok(0));
    pass(3000).await;
    assert_eq!(scene.gone.load(Ordering::Relaxed), 0);
    assert_eq!(scene.ask(0, Duration::ZERO).await, Ok(0));
    pass(3000).await;
    assert_eq!(scene.gone.load(Ordering::Relaxed), 0);
    pass(2000).await;
    assert_eq!(scene.gone.load(Ordering::Relaxed), 1);
    let fetches = scene.fetches();
    pass(5000).await;
    assert_eq!(scene.fetches(), fetches);
}
