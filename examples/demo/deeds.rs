//! What happens before a row is sent: to the user service, and by the word of an operator.

use crate::parts::client::{Client, Request, request};
use crate::parts::envoy::Envoy;
use crate::parts::users::{User, Users};
use crate::{CANARY_LASTS, FRESH, OPERATOR};
use serde_json::Value;

/// Something that happens.
#[derive(Clone)]
pub(crate) enum Deed {
    /// The user service refuses connections, until the row was answered.
    StoreDown,
    /// Everybody is gone from the user service.
    StoreEmptied,
    /// A user comes into being there.
    Added(User),
    /// A user is gone there.
    Gone(&'static str),
    /// An operator tells the sidecar of an event.
    Event(Value),
    /// A request that no row shows.
    Sent(Request),
    /// More time passes than a remembered user is fresh.
    Aged,
    /// More time passes than the word of a canary lasts, and than a young user waits to be read again.
    SecondPasses,
}

/// Where things happen.
pub(crate) struct Scene<'s> {
    pub(crate) users: &'s Users,
    pub(crate) admin: Client,
    pub(crate) envoy: &'s Envoy,
}

impl Scene<'_> {
    /// Lets it happen.
    pub(crate) async fn happens(&self, deed: Deed) {
        match deed {
            Deed::StoreDown => self.users.down(),
            Deed::StoreEmptied => self.users.empty(),
            Deed::Added(user) => self.users.add(user),
            Deed::Gone(subject) => self.users.delete(subject),
            Deed::Event(event) => {
                let told = request("POST", "/v1/events").bearer(OPERATOR);
                let told = told.body("application/json", &event.to_string());
                let answer = self.admin.send(&told).await;
                assert_eq!(answer.status, 200, "{event}: {answer:?}");
            }
            Deed::Sent(request) => {
                self.envoy.client().send(&request).await;
            }
            Deed::Aged => tokio::time::sleep(FRESH * 2).await,
            Deed::SecondPasses => tokio::time::sleep(CANARY_LASTS).await,
        }
    }
}
