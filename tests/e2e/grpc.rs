//! What a gRPC client behind Envoy sees.

use crate::parts::client::GrpcAnswer;
use crate::parts::users::Mood;
use crate::world::World;

const METHOD: &str = "/shop.v1.Orders/List";

fn answer(status: u16, message: &str) -> GrpcAnswer {
    GrpcAnswer {
        status,
        message: message.to_owned(),
    }
}

#[tokio::test]
async fn a_grpc_client_sees_the_status_and_the_code_in_the_message() {
    let world = World::start().await;
    world.users.mood_about("gina", Mood::Status(500));
    let client = world.envoy.client();
    let call = async |token: String| {
        client
            .grpc(METHOD, &[("authorization", &format!("Bearer {token}"))])
            .await
    };
    let token = || world.issuer.token();

    assert_eq!(call(token().sign()).await, answer(0, ""));
    assert_eq!(world.backend.last().version, "HTTP/2");
    assert_eq!(world.backend.last().values("x-user-id"), ["u-alice"]);

    assert_eq!(
        client.grpc(METHOD, &[]).await,
        answer(16, "token_missing: No token was presented")
    );
    assert_eq!(
        call(token().issued_ago(600).expires_in(-300).sign()).await,
        answer(16, "token_expired: Token has expired")
    );
    assert_eq!(
        call(token().subject("dave").sign()).await,
        answer(
            7,
            "user_not_found: User associated with token does not exist"
        )
    );
    assert_eq!(
        call(token().subject("gina").sign()).await,
        answer(
            14,
            "directory_unavailable: User cannot be checked at the moment; try again"
        )
    );
}

#[tokio::test]
async fn a_missing_tenant_is_permission_denied_and_not_internal() {
    let world = World::start().await;
    let token = world.issuer.token().without("tenant").sign();
    let bearer = format!("Bearer {token}");
    let seen = world
        .envoy
        .client()
        .grpc(METHOD, &[("authorization", &bearer)])
        .await;
    assert_eq!(seen, answer(7, "tenant_missing: No tenant was named"));
}

#[tokio::test]
async fn a_grpc_callers_spoofed_identity_is_replaced() {
    let world = World::start().await;
    let bearer = format!("Bearer {}", world.issuer.token().sign());
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-user-id", "admin"),
        ("x_user_id", "admin"),
    ];
    assert_eq!(world.envoy.client().grpc(METHOD, &headers).await.status, 0);
    assert_eq!(world.backend.last().values("x-user-id"), ["u-alice"]);
    assert!(world.backend.last().values("x_user_id").is_empty());
}
