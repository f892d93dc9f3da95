use super::*;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

const DRAIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A process whose signals are ours to send; time is paused, so durations are exact.
struct Process {
    lifecycle: Lifecycle,
    signals: UnboundedSender<Signal>,
    phase: watch::Receiver<Phase>,
    run: JoinHandle<(Outcome, Instant)>,
}

impl Process {
    fn start(prepare: impl FnOnce(&Lifecycle)) -> Self {
        let (lifecycle, run) = Lifecycle::new(Grace {
            drain: DRAIN,
            stop_within: STOP_WITHIN,
        });
        prepare(&lifecycle);
        let (signals, received) = mpsc::unbounded_channel();
        let received = UnboundedReceiverStream::new(received);
        Self {
            phase: lifecycle.phase(),
            lifecycle,
            signals,
            run: tokio::spawn(async move { (run.until_stopped(received).await, Instant::now()) }),
        }
    }

    async fn reaches(&mut self, phase: Phase) -> Instant {
        self.phase.wait_for(|now| *now == phase).await.unwrap();
        Instant::now()
    }

    fn signal(&self, signal: Signal) -> Instant {
        self.signals.send(signal).unwrap();
        Instant::now()
    }

    async fn outcome(self) -> (Outcome, Instant) {
        self.run.await.unwrap()
    }
}

fn nothing(_: &Lifecycle) {}

/// A server that needs so long to finish after the soft stop.
fn server(finishing: Duration) -> impl FnOnce(&Lifecycle) {
    move |lifecycle| {
        let soft = lifecycle.soft().clone();
        lifecycle.serve("server", async move {
            soft.cancelled().await;
            sleep(finishing).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn it_serves_once_the_last_gate_is_open_and_not_before() {
    let mut gates = Vec::new();
    let mut process = Process::start(|lifecycle| {
        gates.push(lifecycle.readiness().gate("keys: acme"));
        gates.push(lifecycle.readiness().gate("revocations"));
    });
    gates.pop();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(*process.phase.borrow(), Phase::Starting);
    assert_eq!(process.lifecycle.readiness().pending(), ["keys: acme"]);
    gates.pop();
    process.reaches(Phase::Serving).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_not_ready_before_it_runs() {
    let (lifecycle, run) = Lifecycle::new(Grace {
        drain: DRAIN,
        stop_within: STOP_WITHIN,
    });
    assert_eq!(lifecycle.readiness().pending(), ["start-up"]);
    drop(run);
}

#[tokio::test(start_paused = true)]
async fn a_gate_put_up_later_does_not_take_readiness_back() {
    let mut process = Process::start(nothing);
    process.reaches(Phase::Serving).await;
    let gate = process.lifecycle.readiness().gate("keys: new");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(*process.phase.borrow(), Phase::Serving);
    drop(gate);
}

#[tokio::test(start_paused = true)]
async fn sigterm_drains_then_finishes_what_is_in_flight() {
    let mut process = Process::start(server(Duration::from_secs(3)));
    process.reaches(Phase::Serving).await;
    let asked = process.signal(Signal::Terminate);
    assert_eq!(process.reaches(Phase::Draining).await, asked);
    assert!(!process.lifecycle.soft().is_cancelled());
    let stopping = process.reaches(Phase::Stopping).await;
    assert_eq!(stopping - asked, DRAIN);
    let (outcome, ended) = process.outcome().await;
    assert_eq!(outcome, Outcome::Clean);
    assert_eq!(ended - stopping, Duration::from_secs(3));
    assert_eq!(outcome.exit_code(), 0);
}

#[tokio::test(start_paused = true)]
async fn sigint_skips_the_drain() {
    let mut process = Process::start(server(Duration::ZERO));
    process.reaches(Phase::Serving).await;
    let asked = process.signal(Signal::Interrupt);
    let (outcome, ended) = process.outcome().await;
    assert_eq!((outcome, ended - asked), (Outcome::Clean, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_never_got_ready_stops_as_well() {
    let mut held = None;
    let process = Process::start(|lifecycle| {
        held = Some(lifecycle.readiness().gate("keys: acme"));
    });
    process.signal(Signal::Interrupt);
    assert_eq!(process.outcome().await.0, Outcome::Clean);
}

#[tokio::test(start_paused = true)]
async fn what_outlasts_stop_within_is_cut_off() {
    let mut process = Process::start(server(Duration::MAX));
    process.reaches(Phase::Serving).await;
    let asked = process.signal(Signal::Interrupt);
    let hard = process.lifecycle.hard().clone();
    let (outcome, ended) = process.outcome().await;
    assert_eq!((outcome, ended - asked), (Outcome::CutOff, STOP_WITHIN));
    assert!(hard.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_exits_now_from_draining_and_from_stopping() {
    for (first, then) in [
        (Signal::Terminate, Phase::Draining),
        (Signal::Interrupt, Phase::Stopping),
    ] {
        let mut process = Process::start(server(Duration::MAX));
        process.reaches(Phase::Serving).await;
        process.signal(first);
        process.reaches(then).await;
        process.signal(Signal::Reload);
        let again = process.signal(Signal::Terminate);
        let (outcome, ended) = process.outcome().await;
        assert_eq!((outcome, ended), (Outcome::Forced, again));
        assert_eq!(outcome.exit_code(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn sighup_is_told_and_changes_no_phase() {
    let mut process = Process::start(nothing);
    let mut reloads = process.lifecycle.reloads();
    process.reaches(Phase::Serving).await;
    for _ in 0..2 {
        process.signal(Signal::Reload);
        reloads.changed().await.unwrap();
    }
    assert_eq!(*process.phase.borrow(), Phase::Serving);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_or_ends_stops_the_process_with_a_failure() {
    let crashes: [fn(&Lifecycle); 4] = [
        |lifecycle| lifecycle.serve("server", async { panic!("a test's panic") }),
        |lifecycle| lifecycle.serve("server", async {}),
        |lifecycle| lifecycle.keep("refresh", async { panic!("a test's panic") }),
        |lifecycle| lifecycle.keep("refresh", async {}),
    ];
    for crash in crashes {
        let process = Process::start(|lifecycle| {
            server(Duration::from_secs(2))(lifecycle);
            crash(lifecycle);
        });
        let (outcome, _) = process.outcome().await;
        assert_eq!(outcome, Outcome::Crashed);
        assert_eq!(outcome.exit_code(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_on_the_way_down_is_a_failure_too() {
    for first in [Signal::Terminate, Signal::Interrupt] {
        let process = Process::start(|lifecycle| {
            lifecycle.keep("refresh", async {
                sleep(Duration::from_secs(5)).await;
                panic!("a test's panic");
            });
            server(Duration::from_secs(8))(lifecycle);
        });
        process.signal(first);
        assert_eq!(process.outcome().await.0, Outcome::Crashed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_panics_while_it_finishes_is_a_failure() {
    let process = Process::start(|lifecycle| {
        let soft = lifecycle.soft().clone();
        lifecycle.serve("server", async move {
            soft.cancelled().await;
            panic!("a test's panic");
        });
    });
    process.signal(Signal::Interrupt);
    assert_eq!(process.outcome().await.0, Outcome::Crashed);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_go_on_for_ever_are_not_waited_for_but_dropped() {
    let dropped = CancellationToken::new();
    let guard = dropped.clone().drop_guard();
    let process = Process::start(|lifecycle| {
        lifecycle.keep("refresh", async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
    });
    process.signal(Signal::Interrupt);
    assert_eq!(process.outcome().await.0, Outcome::Clean);
    dropped.cancelled().await;
}

#[tokio::test(start_paused = true)]
async fn signals_that_end_are_no_signal() {
    let (lifecycle, run) = Lifecycle::new(Grace {
        drain: DRAIN,
        stop_within: STOP_WITHIN,
    });
    let run = tokio::spawn(run.until_stopped(futures_util::stream::empty()));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(*lifecycle.phase().borrow(), Phase::Serving);
    run.abort();
}
