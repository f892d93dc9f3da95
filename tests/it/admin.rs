//! The admin API of a whole process, over its socket.

mod events;
mod openapi;

use crate::parts::client::{Answer, Client, get, request};
use crate::parts::until;
use crate::world::World;
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

const TOKEN: &str = "an-operators-token";

/// A process with an admin API.
struct Office {
    world: World,
    client: Client,
    _running: AbortOnDropHandle<()>,
}

impl Office {
    async fn open() -> Self {
        let mut world = World::configured(|configuration| {
            configuration
                .listen("admin: '127.0.0.1:0'\nadmin_token_file: admin-token\n")
                .file("admin-token", TOKEN)
        })
        .await;
        let client = Client::new(world.admin());
        Self {
            _running: world.serve(),
            client,
            world,
        }
    }

    async fn get(&self, target: &str) -> Answer {
        self.client.send(&get(target).bearer(TOKEN)).await
    }

    async fn delete(&self, target: &str) -> Answer {
        let asked = request("DELETE", target).bearer(TOKEN);
        self.client.send(&asked).await
    }

    async fn post(&self, target: &str, body: &Value) -> Answer {
        let asked = request("POST", target).bearer(TOKEN);
        let asked = asked.body("application/json", &body.to_string());
        self.client.send(&asked).await
    }
}

/// The body of an answer that was given.
#[track_caller]
fn given(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

/// Code and field of a problem.
#[track_caller]
fn problem(answer: &Answer, status: u16) -> (String, String) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let body = answer.json();
    assert_eq!(body["status"], status);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("type"), format!("urn:subgate:admin:{}", text("code")));
    assert!(!text("title").is_empty() && !text("detail").is_empty());
    (text("code"), text("field"))
}

#[tokio::test]
async fn a_user_is_looked_at_and_dropped() {
    let office = Office::open().await;
    let alice = "/v1/users?issuer=acme&tenant=acme&subject=alice";
    assert_eq!(given(&office.get(alice).await)["state"], "absent");
    let token = office.world.issuer.token().sign();
    assert_eq!(office.world.bearer(&token).await.code(), "allow");

    let body = given(&office.get(alice).await);
    assert_eq!(body["state"], "found");
    assert_eq!(body["freshness"], "fresh");
    assert!(body["age_seconds"].as_f64().expect("an age") < 20.0);
    assert_eq!(body["realm"], office.world.issuer.url());
    assert_eq!(body["user"]["id"], "u-alice");
    assert_eq!(body["user"]["status"], "active");
    assert_eq!(body["user"]["attributes"], json!(["email", "plan"]));
    assert!(!body.to_string().contains('@'), "no value of an attribute");

    // Looking at it asks nobody; dropping it lets the next request ask.
    let calls = office.world.users.calls("alice");
    assert_eq!(given(&office.delete(alice).await)["forgotten"], true);
    assert_eq!(given(&office.delete(alice).await)["forgotten"], false);
    assert_eq!(given(&office.get(alice).await)["state"], "absent");
    assert_eq!(office.world.users.calls("alice"), calls);
    assert_eq!(office.world.bearer(&token).await.code(), "allow");
    assert_eq!(office.world.users.calls("alice"), calls + 1);

    let stranger = office.world.issuer.token().subject("dave").sign();
    let told = office.world.bearer(&stranger).await;
    assert_eq!(told.code(), "user_not_found");
    let dave = "/v1/users?issuer=acme&tenant=acme&subject=dave";
    let body = given(&office.get(dave).await);
    assert_eq!(
        (&body["state"], &body["user"]),
        (&json!("not_found"), &Value::Null)
    );
    assert_eq!(given(&office.delete(dave).await)["forgotten"], true);
}

#[tokio::test]
async fn names_are_taken_as_they_are_written() {
    let office = Office::open().await;
    let token = office.world.issuer.token().sign();
    assert_eq!(office.world.bearer(&token).await.code(), "allow");
    let url = office.world.issuer.url();
    for query in [
        "issuer=acme&tenant=ACME&subject=alice".to_owned(),
        "issuer=acme&tenant=%20acme&subject=+alice+".to_owned(),
        format!("issuer={url}&tenant=acme&subject=alice"),
    ] {
        let body = given(&office.get(&format!("/v1/users?{query}")).await);
        assert_eq!(body["state"], "found", "{query}");
        assert_eq!(
            (&body["tenant"], &body["subject"]),
            (&json!("acme"), &json!("alice"))
        );
        assert_eq!(body["issuer"], url);
    }
}

#[tokio::test]
async fn a_query_that_names_nobody_is_told_why() {
    let office = Office::open().await;
    for (query, code, field) in [
        ("", "query", ""),
        ("?issuer=acme", "query", ""),
        ("?issuer=acme&subject=a&subject=b", "query", ""),
        ("?issuer=acme&subject=a&user=b", "query", ""),
        ("?issuer=other&tenant=acme&subject=a", "invalid", "issuer"),
        ("?issuer=acme&tenant=a/b&subject=a", "invalid", "tenant"),
        ("?issuer=acme&subject=a", "invalid", "tenant"),
        (
            "?issuer=acme&tenant=acme&subject=null",
            "invalid",
            "subject",
        ),
        ("?issuer=acme&tenant=acme&subject=", "invalid", "subject"),
        ("?issuer=acme&tenant=acme&subject=%00", "invalid", "subject"),
    ] {
        let target = format!("/v1/users{query}");
        let expected = (code.to_owned(), field.to_owned());
        assert_eq!(
            problem(&office.get(&target).await, 400),
            expected,
            "{query}"
        );
        assert_eq!(
            problem(&office.delete(&target).await, 400),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_guard_is_looked_at_and_released() {
    let office = Office::open().await;
    let body = given(&office.get("/v1/guard").await);
    assert_eq!(
        body,
        json!({"all_held": false, "groups": [], "canaries": []})
    );
    let all = request("POST", "/v1/guard/release").bearer(TOKEN);
    assert_eq!(given(&office.client.send(&all).await)["released"], 0);
    for body in [
        json!({}),
        json!({"tenant": "ACME"}),
        json!({"issuer": "acme", "tenant": "b"}),
    ] {
        let answer = office.post("/v1/guard/release", &body).await;
        assert_eq!(given(&answer)["guard"]["groups"], json!([]));
    }
    for (body, field) in [
        (json!({"issuer": "other"}), "issuer"),
        (json!({"realm": "other"}), "realm"),
        (json!({"tenant": "a b"}), "tenant"),
    ] {
        let answer = office.post("/v1/guard/release", &body).await;
        assert_eq!(problem(&answer, 400).1, field);
    }
}

#[tokio::test]
async fn what_holds_for_every_request_holds() {
    let office = Office::open().await;
    let send = async |asked| office.client.send(&asked).await;
    for target in ["/v1/guard", "/v1/users", "/", "/v2"] {
        let answer = send(get(target)).await;
        assert_eq!(problem(&answer, 401).0, "token_missing");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer realm=\"subgate-admin\""
        );
        let answer = send(get(target).bearer("an-operators-tokem")).await;
        assert_eq!(problem(&answer, 401).0, "token_wrong");
        let challenge = answer.header("www-authenticate").to_owned();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    for target in [
        "/",
        "/v1",
        "/v1/",
        "/v1/users/",
        "/v1/guard/released",
        "/livez",
    ] {
        assert_eq!(problem(&office.get(target).await, 404).0, "no_route");
    }
    let answer = office.delete("/v1/guard").await;
    assert_eq!(problem(&answer, 405).0, "no_method");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    // A browser's question before a call from elsewhere is answered like any other: not at all.
    let preflight = request("OPTIONS", "/v1/events").header("origin", "https://evil.example.com");
    let answer = send(preflight.header("access-control-request-method", "POST")).await;
    assert_eq!(problem(&answer, 401).0, "token_missing");
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let event = json!({"type": "user.deleted", "issuer": "acme", "subject": "a"}).to_string();
    let post = || request("POST", "/v1/events").bearer(TOKEN);
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(
            problem(&send(post().body(kind, &event)).await, 415).0,
            "media_type"
        );
    }
    let with_parameter = post().body("Application/JSON; charset=utf-8", &event);
    assert_eq!(send(with_parameter).await.status, 200);
    assert_eq!(
        problem(&send(post().body("application/json", "{")).await, 400).0,
        "body"
    );
    let long = format!("{event}{}", " ".repeat(64 * 1024));
    assert_eq!(
        problem(&send(post().body("application/json", &long)).await, 413).0,
        "too_large"
    );
}

#[tokio::test]
async fn another_token_in_the_file_is_the_token_from_then_on() {
    let office = Office::open().await;
    let place = office.world.file.with_file_name("admin-token");
    let ask = async |token: &str| {
        office
            .client
            .send(&get("/v1/guard").bearer(token))
            .await
            .status
    };
    assert_eq!(ask(TOKEN).await, 200);
    let next = place.with_extension("next");
    std::fs::write(&next, "another-operators-token\n").expect("a file");
    std::fs::rename(&next, &place).expect("a file");
    until("the new token opens", async || {
        ask("another-operators-token").await == 200
    })
    .await;
    assert_eq!(ask(TOKEN).await, 401);
}

#[tokio::test]
async fn names_are_those_of_the_configuration_at_work() {
    let office = Office::open().await;
    let renamed = "/v1/users?issuer=renamed&tenant=acme&subject=alice";
    assert_eq!(problem(&office.get(renamed).await, 400).1, "issuer");
    office.world.rewrite("name: acme", "name: renamed");
    until("the new name is known", async || {
        office.get(renamed).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn without_a_token_file_there_is_no_admin_listener() {
    let world = World::configured(|same| same.listen("admin: '127.0.0.1:0'\n")).await;
    let app = world.app.expect("a process that does not serve yet");
    assert_eq!(app.admin_address(), None);
}
