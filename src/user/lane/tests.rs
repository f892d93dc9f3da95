use super::*;
use futures_util::poll;
use std::cell::Cell;
use std::pin::pin;

const SECOND: Duration = Duration::from_secs(1);

fn lanes(concurrency: usize) -> Lanes {
    Lanes::new(Settings {
        timeout: SECOND,
        retries: 2,
        concurrency,
    })
}

const fn errand(lane: Lane, user: u64) -> Errand {
    Errand {
        lane,
        user,
        background: false,
    }
}

const KNOWN: Errand = errand(Lane::Known, 0);
const ILL: Unanswered = Unanswered::because(Reason::ServerError);

const fn asks_for_pause(reason: Reason, seconds: u64) -> Unanswered {
    Unanswered {
        reason,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// Asks; tells the outcome and how many attempts were made.
async fn ask(
    lanes: &Lanes,
    errand: Errand,
    answer: Result<(), Unanswered>,
) -> (Result<(), Unanswered>, usize) {
    let attempts = Cell::new(0);
    let outcome = lanes.ask(errand, || {
        attempts.set(attempts.get() + 1);
        async { answer }
    });
    let outcome = outcome.await;
    (outcome, attempts.get())
}

/// Fails with five users, so that the breaker opens.
async fn open(lanes: &Lanes, lane: Lane) {
    for user in 0..5 {
        let (outcome, _) = ask(lanes, errand(lane, user), Err(ILL)).await;
        assert_eq!(outcome, Err(ILL));
    }
    assert_eq!(lanes.state(lane, Instant::now()), BreakerState::Open);
}

/// How long nothing is asked about somebody who was not asked about before.
async fn rest(lanes: &Lanes, lane: Lane) -> Duration {
    rest_of(lanes, errand(lane, 9)).await
}

async fn rest_of(lanes: &Lanes, errand: Errand) -> Duration {
    let (outcome, attempts) = ask(lanes, errand, Ok(())).await;
    assert_eq!(attempts, 0);
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.reason, Reason::BreakerOpen);
    refusal.retry_after.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_with_growing_pauses() {
    for reason in Reason::ALL {
        let again = matches!(
            reason,
            Reason::Timeout | Reason::Connect | Reason::Truncated | Reason::ServerError
        );
        let failed = Unanswered::because(*reason);
        let began = Instant::now();
        let (outcome, attempts) = ask(&lanes(4), KNOWN, Err(failed)).await;
        assert_eq!(outcome, Err(failed));
        assert_eq!(attempts, if again { 3 } else { 1 }, "{reason:?}");
        let paused = began.elapsed();
        let bounds = Duration::from_millis(150)..Duration::from_millis(302);
        assert!(if again {
            bounds.contains(&paused)
        } else {
            paused.is_zero()
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_may_bring_the_answer() {
    let left = Cell::new(2);
    let lanes = lanes(4);
    let answer = lanes.ask(KNOWN, || {
        let failures = left.replace(left.get() - 1);
        async move { if failures > 0 { Err(ILL) } else { Ok(7) } }
    });
    assert_eq!(answer.await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_given_up_in_time() {
    let lanes = lanes(4);
    let began = Instant::now();
    let outcome = lanes
        .ask(KNOWN, std::future::pending::<Result<(), _>>)
        .await;
    assert_eq!(outcome, Err(Unanswered::because(Reason::Timeout)));
    assert!(began.elapsed() < 4 * SECOND);
    assert_eq!(lanes.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_short_pause_asked_for_is_waited_out_and_a_long_one_is_told() {
    for reason in [Reason::Throttled, Reason::ServerError] {
        let lanes = lanes(4);
        let began = Instant::now();
        let (_, attempts) = ask(&lanes, KNOWN, Err(asks_for_pause(reason, 1))).await;
        assert_eq!((attempts, began.elapsed().as_secs()), (3, 2));
        let failed = asks_for_pause(reason, 7);
        let lanes = self::lanes(4);
        assert_eq!(ask(&lanes, KNOWN, Err(failed)).await, (Err(failed), 1));
        assert_eq!(rest_of(&lanes, KNOWN).await, 7 * SECOND);
        sleep(7 * SECOND).await;
        assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
    }
    let lanes = lanes(4);
    let failed = Err(asks_for_pause(Reason::Throttled, 86_400));
    assert_eq!(ask(&lanes, KNOWN, failed).await.1, 1);
    assert_eq!(rest_of(&lanes, KNOWN).await, 60 * SECOND);
}

/// The directory asks for a pause for each of these users.
async fn throttle(lanes: &Lanes, lane: Lane, users: std::ops::Range<u64>) {
    for user in users {
        let failed = asks_for_pause(Reason::Throttled, 30);
        let (outcome, attempts) = ask(lanes, errand(lane, user), Err(failed)).await;
        assert_eq!((outcome, attempts), (Err(failed), 1), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_asked_for_one_user_or_two_shuts_nobody_else_out() {
    let lanes = lanes(4);
    throttle(&lanes, Lane::Known, 0..2).await;
    for user in 0..2 {
        assert_eq!(
            rest_of(&lanes, errand(Lane::Known, user)).await,
            30 * SECOND
        );
    }
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
    assert_eq!(
        ask(&lanes, errand(Lane::Known, 9), Ok(())).await,
        (Ok(()), 1)
    );
    // That was an answer: two more are no more than two, and the first have still to wait.
    throttle(&lanes, Lane::Known, 2..4).await;
    assert_eq!(
        ask(&lanes, errand(Lane::Known, 9), Ok(())).await,
        (Ok(()), 1)
    );
    assert_eq!(rest_of(&lanes, KNOWN).await, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_asked_for_three_users_without_an_answer_between_is_one_for_the_lane() {
    let lanes = lanes(4);
    throttle(&lanes, Lane::Known, 0..3).await;
    assert_eq!(rest(&lanes, Lane::Known).await, 30 * SECOND);
    assert_eq!(lanes.state(Lane::Known, Instant::now()), BreakerState::Open);
    sleep(30 * SECOND).await;
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_attempt_under_way_ends_the_pause_of_the_lane() {
    let lanes = lanes(4);
    let mut slow = pin!(lanes.ask(errand(Lane::Known, 8), || async {
        sleep(SECOND / 2).await;
        Ok(())
    }));
    assert!(poll!(&mut slow).is_pending());
    throttle(&lanes, Lane::Known, 0..3).await;
    assert_eq!(rest(&lanes, Lane::Known).await, 30 * SECOND);
    assert_eq!(slow.await, Ok(()));
    assert_eq!(
        ask(&lanes, errand(Lane::Known, 9), Ok(())).await,
        (Ok(()), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn strangers_wait_when_the_known_are_to_wait_and_never_make_them() {
    let lanes = lanes(4);
    throttle(&lanes, Lane::Stranger, 0..3).await;
    assert_eq!(rest(&lanes, Lane::Stranger).await, 30 * SECOND);
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
    let lanes = self::lanes(4);
    throttle(&lanes, Lane::Known, 0..3).await;
    assert_eq!(rest(&lanes, Lane::Stranger).await, 30 * SECOND);
    assert_eq!(
        lanes.state(Lane::Stranger, Instant::now()),
        BreakerState::Open
    );
}

#[tokio::test(start_paused = true)]
async fn five_users_without_an_answer_between_open_the_breaker_and_one_alone_never() {
    let lanes = lanes(4);
    for _ in 0..20 {
        assert_eq!(ask(&lanes, KNOWN, Err(ILL)).await.1, 3);
    }
    for user in 1..5 {
        let (_, attempts) = ask(&lanes, errand(Lane::Known, user), Err(ILL)).await;
        assert_eq!(attempts, if user < 4 { 3 } else { 1 }, "{user}");
    }
    assert!(rest(&lanes, Lane::Known).await >= SECOND);
    let lanes = self::lanes(4);
    for user in 0..20 {
        if user % 4 == 0 {
            // An answer of no use is an answer.
            let garbage = Err(Unanswered::because(Reason::MalformedAnswer));
            let _answered = ask(&lanes, errand(Lane::Known, user), garbage).await;
        }
        let _failed = ask(&lanes, errand(Lane::Known, user), Err(ILL)).await;
    }
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
}

#[tokio::test(start_paused = true)]
async fn strangers_on_whom_the_directory_stumbles_do_not_close_the_way_for_the_known() {
    let lanes = lanes(4);
    open(&lanes, Lane::Stranger).await;
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
    let same = lanes.reconfigured(Settings {
        retries: 0,
        ..lanes.settings
    });
    assert_eq!(
        same.state(Lane::Stranger, Instant::now()),
        BreakerState::Open
    );
}

#[tokio::test(start_paused = true)]
async fn it_opens_for_longer_each_time_within_bounds_and_anew_after_an_answer() {
    let lanes = lanes(4);
    open(&lanes, Lane::Known).await;
    let millis = Duration::from_millis;
    for (least, most) in [
        (1000, 2000),
        (2000, 4000),
        (4000, 8000),
        (7500, 15_000),
        (7500, 15_000),
    ] {
        let rest = rest(&lanes, Lane::Known).await;
        assert!((millis(least)..=millis(most)).contains(&rest), "{rest:?}");
        sleep(rest).await;
        assert_eq!(
            lanes.state(Lane::Known, Instant::now()),
            BreakerState::HalfOpen
        );
        let probe = ask(&lanes, KNOWN, Err(ILL)).await;
        assert_eq!(probe, (Err(ILL), 1), "a probe is not tried again");
    }
    sleep(15 * SECOND).await;
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
    open(&lanes, Lane::Known).await;
    assert!(rest(&lanes, Lane::Known).await <= 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn half_open_one_attempt_alone_is_made_and_one_that_is_dropped_leaves_its_turn() {
    let lanes = lanes(4);
    open(&lanes, Lane::Known).await;
    sleep(2 * SECOND).await;
    {
        let mut probe = pin!(lanes.ask(KNOWN, std::future::pending::<Result<(), _>>));
        assert!(poll!(&mut probe).is_pending());
        assert_eq!(rest(&lanes, Lane::Known).await, SECOND);
    }
    // A reason of ours says nothing of the directory.
    let ours = Err(Unanswered::because(Reason::Internal));
    assert_eq!(ask(&lanes, KNOWN, ours).await.1, 1);
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::HalfOpen
    );
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (Ok(()), 1));
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_from_before_it_opened_says_nothing_of_now() {
    let breaker = Breaker::new(Lane::Known);
    let now = Instant::now();
    let (well, ill) = (
        breaker.admit(7, now).unwrap(),
        breaker.admit(8, now).unwrap(),
    );
    for user in 0..5 {
        breaker
            .admit(user, now)
            .unwrap()
            .ended(Symptom::Ill(None), user, now);
    }
    let rest = breaker.passes(9, now).unwrap_err();
    well.ended(Symptom::Well, 7, now);
    ill.ended(Symptom::Ill(None), 8, now);
    assert_eq!(breaker.passes(9, now), Err(rest));
}

#[tokio::test(start_paused = true)]
async fn as_many_wait_as_have_room_and_whoever_leaves_the_queue_makes_way() {
    let lanes = lanes(2);
    let forever = || std::future::pending::<Result<(), Unanswered>>();
    let slow = || async {
        sleep(SECOND / 2).await;
        Ok(())
    };
    let (mut first, mut second) = (pin!(lanes.ask(KNOWN, slow)), pin!(lanes.ask(KNOWN, slow)));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    let mut third = Box::pin(lanes.ask(KNOWN, forever));
    let mut fourth = pin!(lanes.ask(KNOWN, slow));
    assert!(poll!(&mut third).is_pending() && poll!(&mut fourth).is_pending());
    assert_eq!(lanes.now(), (2, 2));
    let crowded = Err(Unanswered::because(Reason::Crowded));
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (crowded, 0));
    drop(third);
    let background = Errand {
        background: true,
        ..KNOWN
    };
    assert_eq!(
        ask(&lanes, background, Ok(())).await,
        (crowded, 0),
        "it never waits"
    );
    let mut fifth = pin!(lanes.ask(KNOWN, slow));
    assert!(poll!(&mut fifth).is_pending());
    let all = futures_util::future::join4(first, second, fourth, fifth).await;
    assert_eq!(all, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(ask(&lanes, background, Ok(())).await, (Ok(()), 1));
    assert_eq!(lanes.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_room_longer_than_an_attempt_may_take() {
    let lanes = lanes(1);
    let seat = lanes.room.free(Lane::Known);
    let began = Instant::now();
    let crowded = Err(Unanswered::because(Reason::Crowded));
    assert_eq!(ask(&lanes, KNOWN, Ok(())).await, (crowded, 0));
    assert_eq!(began.elapsed(), SECOND);
    assert_eq!(
        lanes.state(Lane::Known, Instant::now()),
        BreakerState::Closed
    );
    drop(seat);
    assert_eq!(lanes.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn strangers_take_half_of_the_room_and_wait_behind_the_known() {
    let room = Room::new(4);
    let mut seats: Vec<_> = (0..4).map(|_| room.free(Lane::Stranger)).collect();
    assert_eq!(seats.iter().flatten().count(), 2);
    seats.retain(Option::is_some);
    let known = (room.free(Lane::Known), room.free(Lane::Known));
    assert!(known.0.is_some() && known.1.is_some());
    let (mut stranger, mut user) = (
        pin!(room.wait(Lane::Stranger)),
        pin!(room.wait(Lane::Known)),
    );
    assert!(poll!(&mut stranger).is_pending() && poll!(&mut user).is_pending());
    seats.pop();
    assert!(poll!(&mut stranger).is_pending());
    let user = user.await;
    assert!(user.is_some());
    drop(known.0);
    let stranger = stranger.await;
    assert!(stranger.is_some());
    assert!(room.free(Lane::Stranger).is_none());
    drop((seats, known.1, stranger, user));
    assert_eq!(room.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_seat_of_several_is_a_strangers_before_it_is_a_known_users() {
    let room = Room::new(2);
    let first = (room.free(Lane::Known), room.free(Lane::Known));
    let (mut user, mut stranger) = (
        pin!(room.wait(Lane::Known)),
        pin!(room.wait(Lane::Stranger)),
    );
    assert!(poll!(&mut user).is_pending() && poll!(&mut stranger).is_pending());
    drop(first.0);
    let stranger = stranger.await;
    assert!(stranger.is_some());
    assert!(poll!(&mut user).is_pending());
    drop(first.1);
    assert!(user.await.is_some());
    let room = Room::new(1);
    let only = room.free(Lane::Known);
    let (mut user, mut stranger) = (
        pin!(room.wait(Lane::Known)),
        pin!(room.wait(Lane::Stranger)),
    );
    assert!(poll!(&mut user).is_pending() && poll!(&mut stranger).is_pending());
    drop(only);
    assert!(poll!(&mut stranger).is_pending());
    assert!(user.await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_seat_given_to_one_who_leaves_at_that_moment_goes_on() {
    let room = Room::new(1);
    let only = room.free(Lane::Known);
    let mut leaves = Box::pin(room.wait(Lane::Known));
    let mut stays = pin!(room.wait(Lane::Stranger));
    assert!(poll!(&mut leaves).is_pending() && poll!(&mut stays).is_pending());
    drop(only);
    drop(leaves);
    assert!(stays.await.is_some());
    assert_eq!(room.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_tenth_of_the_room_is_for_consistent_rereads() {
    let lanes = lanes(25);
    let held = (lanes.reread().unwrap(), lanes.reread().unwrap());
    assert!(lanes.reread().is_none());
    drop(held);
    assert!(lanes.reread().is_some());
    assert!(self::lanes(1).reread().is_some());
}

#[test]
fn lanes_and_states_have_the_names_that_metrics_give_them() {
    assert_eq!(Lane::ALL.map(Lane::as_str), ["known", "stranger"]);
    let states = BreakerState::ALL.map(BreakerState::as_str);
    assert_eq!(states, ["closed", "open", "half_open"]);
}
