use super::super::wire::subgate::directory::v1::{Heartbeat, Reset};
use super::*;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use tokio::time::Instant;

type Message = Result<Result<WatchResponse, DecodeError>, Status>;

/// Each time another stream of these; then none that ever begins.
#[derive(Default)]
struct Scripted {
    streams: Mutex<VecDeque<BoxStream<'static, Message>>>,
    tokens: Mutex<Vec<Bytes>>,
}

impl Source for Arc<Scripted> {
    type Messages = BoxStream<'static, Message>;

    async fn begin(&self, request: WatchRequest) -> Result<Self::Messages, Status> {
        self.tokens.lock().push(request.resume_token);
        let next = self.streams.lock().pop_front();
        next.ok_or_else(|| Status::unavailable("as written"))
    }
}

fn says(token: &'static str, news: News) -> WatchResponse {
    WatchResponse {
        resume_token: Bytes::from_static(token.as_bytes()),
        news: Some(news),
    }
}

fn beats(token: &'static str) -> WatchResponse {
    says(token, News::Heartbeat(Heartbeat {}))
}

/// These messages, and the end.
fn ends(messages: Vec<WatchResponse>) -> BoxStream<'static, Message> {
    let messages = messages.into_iter().map(|message| Ok(Ok(message)));
    futures_util::stream::iter(messages).boxed()
}

/// These messages, and silence.
fn falls_silent(messages: Vec<WatchResponse>) -> BoxStream<'static, Message> {
    ends(messages)
        .chain(futures_util::stream::pending())
        .boxed()
}

/// How often something was missed within an hour, and with which tokens it was asked.
async fn after_an_hour(streams: Vec<BoxStream<'static, Message>>) -> (usize, Vec<Bytes>) {
    let source = Arc::new(Scripted {
        streams: Mutex::new(streams.into()),
        tokens: Mutex::default(),
    });
    let changes = changes(
        Arc::clone(&source),
        String::new(),
        vec!["r".into()],
        Arc::default(),
    );
    let hour = tokio::time::sleep(Duration::from_secs(3600));
    let missed = changes.take_until(hour).count().await;
    let tokens = source.tokens.lock().clone();
    (missed, tokens)
}

#[tokio::test(start_paused = true)]
async fn the_last_token_is_the_one_to_go_on_from_and_an_empty_one_changes_nothing() {
    let (missed, tokens) = after_an_hour(vec![
        ends(vec![beats("1"), beats("2"), beats("")]),
        falls_silent(vec![beats("3")]),
        ends(vec![]),
    ])
    .await;
    assert_eq!(missed, 1);
    assert_eq!(tokens[..5], ["", "2", "3", "3", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_missed_whenever_it_comes_and_takes_the_token_with_it() {
    let reset = || News::Reset(Reset {});
    let (missed, tokens) = after_an_hour(vec![
        ends(vec![
            beats("1"),
            says("2", reset()),
            beats("3"),
            says("", reset()),
        ]),
        ends(vec![beats("4")]),
    ])
    .await;
    assert_eq!(missed, 4);
    assert_eq!(tokens[..3], ["", "", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_too_long_is_not_kept() {
    const LONG: &str = match std::str::from_utf8(&[b'x'; MAX_TOKEN + 1]) {
        Ok(long) => long,
        Err(_) => "",
    };
    let (missed, tokens) = after_an_hour(vec![ends(vec![beats("1"), beats(LONG)])]).await;
    assert_eq!(missed, 1);
    assert_eq!(tokens[..2], ["", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_given_up_after_fifteen_seconds_of_silence() {
    let source = Arc::new(Scripted::default());
    source
        .streams
        .lock()
        .push_back(falls_silent(vec![beats("1")]));
    let counts: Arc<Counts> = Arc::default();
    let changes = changes(
        Arc::clone(&source),
        String::new(),
        vec![],
        Arc::clone(&counts),
    );
    let mut changes = std::pin::pin!(changes);
    assert_eq!(changes.next().await, Some(Change::Missed));
    for (seconds, lost) in [(14, false), (2, true)] {
        let _nothing = timeout(Duration::from_secs(seconds), changes.next()).await;
        assert_eq!(counts.lost.load(Relaxed) > 0, lost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_asked_ever_less_often_and_at_least_each_minute() {
    let began = Instant::now();
    let (missed, tokens) = after_an_hour(vec![]).await;
    assert_eq!((missed, began.elapsed().as_secs()), (0, 3600));
    assert!((60..250).contains(&tokens.len()), "{}", tokens.len());
}

#[test]
fn a_lost_stream_one_that_never_began_and_a_server_without_watch_are_told_apart() {
    let mut follower = Follower {
        source: Arc::new(Scripted::default()),
        endpoint: String::new(),
        realms: vec![],
        counts: Arc::default(),
        token: Bytes::new(),
        stream: None,
        resumed: false,
        lacks_it: false,
        told: VecDeque::new(),
        pauses: pauses(),
    };
    let away = Lost::Failed(Status::unavailable("away"));
    let none = Lost::Failed(Status::unimplemented("no such method"));
    let mut says = |lost: &Lost, began| follower.news(lost, began).unwrap_or_default();
    assert!(says(&away, true).contains("was lost"));
    assert!(says(&away, false).contains("could not begin"));
    assert!(says(&none, false).contains("set `users.grpc.watch: false`, or implement Watch"));
    assert_eq!((says(&none, false), says(&none, true)), ("", ""));
    assert!(says(&Lost::Silent, false).contains("could not begin"));
    follower.read(Ok(beats("1")));
    assert!(
        follower.news(&none, false).is_some(),
        "it had one meanwhile"
    );
}
