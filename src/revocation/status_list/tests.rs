use super::packed::tests::lst;
use super::*;
use crate::clock::SystemClock;
use crate::load::Load;
use crate::net::prefix::Prefix;
use crate::token::issuer::{Config, KeySource};
use crate::token::sample;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

pub(super) const ISSUER: &str = "https://id.example.com";

/// The public half of RFC 8037, appendix A.2.
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Its private half, appendix A.1.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

/// A JWS of the issuer's key.
pub(super) fn sign(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(payload));
    let seed = URL_SAFE_NO_PAD.decode(SEED).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

pub(super) fn header() -> Value {
    json!({"alg": "EdDSA", "kid": sample::KID, "typ": "statuslist+jwt"})
}

/// The claims of a list of two bits, whose first statuses are 0, 1, 2, 3.
pub(super) fn claims(uri: &str) -> Value {
    let now = SystemClock.now().as_millis() / 1000;
    json!({
        "sub": uri, "iat": now - 10, "exp": now + 3600, "ttl": 600,
        "status_list": {"bits": 2, "lst": lst(&[0b11_10_01_00, 0])},
    })
}

/// The issuer's configuration, its keys in a file of the folder.
pub(super) fn config(folder: &TempDir) -> Config {
    let file = folder.path().join("keys.json");
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": sample::KID, "x": PUBLIC});
    std::fs::write(&file, json!({"keys": [key]}).to_string()).unwrap();
    Config {
        keys: KeySource::File(file),
        ..sample::config(ISSUER)
    }
}

type Answer = (u16, &'static str, String);

/// A server of lists, which counts what it is asked for.
struct Host {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
    _serving: AbortOnDropHandle<()>,
}

impl Host {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new((404, "text/plain", String::new())));
        let (asking, answering) = (Arc::clone(&asked), Arc::clone(&answer));
        let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
            let accept = request.headers()["accept"].to_str().unwrap();
            asking.lock().push(format!("{} {accept}", request.uri()));
            let (status, media_type, body) = answering.lock().clone();
            let response = http::Response::builder()
                .status(status)
                .header("content-type", media_type)
                .header("location", "/lists/elsewhere")
                .header("cache-control", "max-age=1");
            std::future::ready(response.body(axum::body::Body::from(body)).unwrap())
        });
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let host = Self {
            url,
            asked,
            answer,
            _serving: AbortOnDropHandle::new(serving),
        };
        host.says(200, &sign(&header(), &claims(&host.uri())));
        host
    }

    fn uri(&self) -> String {
        format!("{}/lists/1", self.url)
    }

    fn says(&self, status: u16, body: &str) {
        *self.answer.lock() = (status, "application/statuslist+jwt", body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.lock().len()
    }
}

/// The lists of one issuer that believes what is beneath `/lists` of a host.
struct Scene {
    host: Host,
    config: Config,
    lists: StatusLists,
    load: Load,
    _folder: TempDir,
}

impl Scene {
    async fn start() -> Self {
        let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
        let prefix = Url::parse(&format!("{}/lists", host.url)).unwrap();
        let config = Config {
            status_lists: vec![Prefix::new(prefix).unwrap()],
            ..config(&folder)
        };
        let issuer = Issuer::start(config.clone()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            lists: StatusLists::new(&[issuer], &clock, None).unwrap(),
            host,
            config,
            load: Load::new(256, 256),
            _folder: folder,
        }
    }

    async fn check(&self, status: &Value) -> Result<(), StatusError> {
        let token = sample::token(self.config.clone(), &json!({"status": status}));
        let now = Instant::now();
        let place = self.load.admit(now + Duration::from_secs(20)).unwrap();
        self.lists
            .check(&token, SystemClock.now(), now, &place)
            .await
    }

    async fn index(&self, index: u64) -> Result<(), StatusError> {
        self.check(&json!({"status_list": {"idx": index, "uri": self.host.uri()}}))
            .await
    }
}

fn reason(checked: Result<(), StatusError>) -> String {
    match checked {
        Err(StatusError::Revoked(hit)) => hit.reason.unwrap().into(),
        other => panic!("expected a revocation, came {other:?}"),
    }
}

#[tokio::test]
async fn tsl_05_only_the_status_zero_is_valid_and_the_reason_tells_the_others() {
    let scene = Scene::start().await;
    assert_eq!(scene.index(0).await, Ok(()));
    assert!(reason(scene.index(1).await).ends_with("invalid"));
    assert!(reason(scene.index(2).await).ends_with("suspended"));
    assert!(reason(scene.index(3).await).ends_with("status 3"));
    assert_eq!(
        *scene.host.asked.lock(),
        ["/lists/1 application/statuslist+jwt"]
    );
}

#[tokio::test]
async fn tsl_02_a_malformed_status_and_a_list_that_nobody_trusts_are_refused_unfetched() {
    let scene = Scene::start().await;
    let malformed = |fault| Err(StatusError::Malformed(fault));
    let there = scene.host.uri();
    for status in [json!({}), json!({"status_list": {"idx": -1, "uri": there}})] {
        assert_eq!(
            scene.check(&status).await,
            malformed(Fault::Form),
            "{status}"
        );
    }
    for uri in [
        "https://evil.example/lists/1".to_owned(),
        format!("{}/admin", scene.host.url),
        format!("{}/lists/../admin", scene.host.url),
        format!("{}2", scene.host.url),
        String::new(),
    ] {
        let status = json!({"status_list": {"idx": 0, "uri": uri}});
        assert_eq!(
            scene.check(&status).await,
            malformed(Fault::Untrusted),
            "{uri}"
        );
    }
    assert_eq!(scene.host.asked(), 0);
}

#[tokio::test]
async fn tsl_04_an_index_beyond_the_end_is_refused() {
    let scene = Scene::start().await;
    assert_eq!(scene.index(7).await, Ok(()));
    for index in [8, u64::from(u32::MAX), u64::MAX] {
        let refused = Err(StatusError::Malformed(Fault::OutOfRange));
        assert_eq!(scene.index(index).await, refused, "{index}");
    }
}

#[tokio::test]
async fn without_prefixes_the_claim_means_nothing() {
    let scene = Scene::start().await;
    let config = Config {
        status_lists: Vec::new(),
        ..scene.config.clone()
    };
    let issuer = Issuer::start(config).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let lists = StatusLists::new(&[issuer], &clock, None).unwrap();
    let now = Instant::now();
    for status in [
        json!(null),
        json!({"status_list": {"idx": 1, "uri": scene.host.uri()}}),
    ] {
        let token = sample::token(scene.config.clone(), &json!({"status": status}));
        let place = scene.load.admit(now).unwrap();
        assert_eq!(
            lists.check(&token, SystemClock.now(), now, &place).await,
            Ok(())
        );
    }
    assert_eq!(scene.host.asked(), 0);
}

#[tokio::test]
async fn however_many_need_a_list_at_once_it_is_fetched_once() {
    let scene = Arc::new(Scene::start().await);
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let scene = Arc::clone(&scene);
        asking.spawn(async move { (number % 2, scene.index(number % 2).await.is_ok()) });
    }
    while let Some(answered) = asking.join_next().await {
        let (index, passed) = answered.unwrap();
        assert_eq!(passed, index == 0);
    }
    assert_eq!(scene.host.asked(), 1);
}

#[tokio::test]
async fn a_list_that_cannot_be_had_is_no_reason_to_pass_and_is_asked_for_in_the_background() {
    let scene = Scene::start().await;
    let good = sign(&header(), &claims(&scene.host.uri()));
    scene.host.says(500, &good);
    for _ in 0..5 {
        let checked = scene.index(0).await;
        let Err(StatusError::Unavailable { retry_after }) = checked else {
            panic!("{checked:?}");
        };
        assert!(retry_after >= Duration::from_secs(1));
    }
    scene.host.says(200, &good);
    let began = Instant::now();
    while scene.index(0).await.is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "still not fetched"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sizes: Vec<_> = scene.lists.sizes(Instant::now()).collect();
    let [size] = sizes.as_slice() else {
        panic!("one issuer")
    };
    assert_eq!((size.lists, size.oldest.is_some()), (1, true));
    assert_eq!(size.counts.ok.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn tsl_06_a_redirect_is_not_followed_within_the_prefix_either() {
    let scene = Scene::start().await;
    scene.host.says(302, "");
    let checked = scene.index(0).await;
    assert!(
        matches!(checked, Err(StatusError::Unavailable { .. })),
        "{checked:?}"
    );
    assert!(
        scene
            .host
            .asked
            .lock()
            .iter()
            .all(|asked| asked.starts_with("/lists/1 "))
    );
}

#[tokio::test]
async fn whoever_finds_no_place_to_wait_is_refused_as_crowded() {
    let mut scene = Scene::start().await;
    scene.load = Load::new(1, 0);
    assert_eq!(scene.index(0).await, Err(StatusError::Crowded));
}

#[tokio::test]
async fn lists_outlive_a_reload_with_their_issuer_alone() {
    let scene = Scene::start().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let same = Arc::clone(scene.lists.shelves.values().next().unwrap().issuer());
    let kept = StatusLists::new(&[same], &clock, Some(&scene.lists)).unwrap();
    let changed = Issuer::start(scene.config.clone()).unwrap();
    let anew = StatusLists::new(&[changed], &clock, Some(&scene.lists)).unwrap();
    let shelf = |lists: &StatusLists| Arc::clone(&lists.shelves[ISSUER]);
    assert!(Arc::ptr_eq(&shelf(&kept), &shelf(&scene.lists)));
    assert!(!Arc::ptr_eq(&shelf(&anew), &shelf(&scene.lists)));
}
