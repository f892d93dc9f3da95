//! The messages, as `proto/subgate/directory/v1/directory.proto` has them.

pub(super) use subgate::directory::v1::{
    AttributeValues, Consistency, Event, GetUserRequest, GetUserResponse, NotFound, Status, User,
    WatchRequest, WatchResponse, event, get_user_response, watch_response,
};

/// The modules that the generator expects, by the names of the packages.
#[expect(unreachable_pub, reason = "generated code answers to its generator")]
pub(super) mod google {
    pub mod protobuf {
        include!(concat!(env!("OUT_DIR"), "/google.protobuf.rs"));
    }
}

#[expect(
    unnameable_types,
    unreachable_pub,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated code answers to its generator"
)]
pub(super) mod subgate {
    pub mod directory {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/subgate.directory.v1.rs"));
        }
    }
}
