//! The key `users.supabase`.

use super::reach::{Reaching, base_url, field, pointers};
use crate::config::document::{Supabase as Written, SupabaseFields};
use crate::config::report::At;
use crate::user::directory::{Config, Pointer, Supabase};
use crate::yaml::shown;

pub(super) fn resolve(at: &At<'_>, written: Written) -> Option<Config> {
    let Written {
        url,
        service_key_file,
        allow_plaintext,
        headers,
        tls,
        fields: SupabaseFields { tenant, roles },
        attributes,
        required,
    } = written;
    let url = url.and_then(|url| base_url(&at.key("url"), &url, allow_plaintext));
    let is_keyed = service_key_file.is_some();
    let reach = Reaching {
        allow_plaintext,
        headers,
        token: ("service_key_file", service_key_file),
        shown_in: &["authorization", "apikey"],
        tls,
    }
    .resolve_plainly(at);
    let tenant = trusted(&at.key("fields").key("tenant"), &tenant);
    let roles = trusted(&at.key("fields").key("roles"), &roles);
    for (name, written) in &attributes {
        if is_of_the_user(written) {
            at.key("attributes").key(name).warn(
                &shown(written),
                "users write their `user_metadata` themselves",
            );
        }
    }
    let attributes = pointers(&at.key("attributes"), attributes);
    let supabase = Supabase {
        url: url?,
        reach: reach?,
        tenant: tenant?,
        roles: roles?,
        attributes: attributes?,
        required,
    };
    is_keyed.then(|| Config::Supabase(Box::new(supabase)))
}

/// A pointer or `none`, but never to what a user may write.
#[expect(
    clippy::option_option,
    reason = "`none`, or a mistake that was reported"
)]
fn trusted(at: &At<'_>, written: &str) -> Option<Option<Pointer>> {
    if is_of_the_user(written) {
        at.wrong(
            "a place that users cannot write",
            shown(written),
            "keep it in `app_metadata`, for example `/app_metadata/roles`",
        );
        return None;
    }
    field(at, written)
}

/// Whether GoTrue lets users change what is there.
fn is_of_the_user(pointer: &str) -> bool {
    pointer == "/user_metadata" || pointer.starts_with("/user_metadata/")
}
