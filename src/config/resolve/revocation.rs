//! The key `revocation`.

mod redis;
mod redis_url;

use super::file;
use crate::config::document::{Memory, Revocation};
use crate::config::report::At;
use crate::revocation::Config;

pub(super) fn resolve(at: &At<'_>, revocation: Revocation) -> Option<Config> {
    match revocation {
        Revocation {
            memory: Some(_),
            redis: Some(_),
        } => {
            at.wrong(
                "exactly one source of revocations",
                "`memory` and `redis`",
                "keep one of them",
            );
            None
        }
        Revocation {
            memory: None,
            redis: Some(redis),
        } => redis::resolve(&at.key("redis"), *redis),
        Revocation {
            memory,
            redis: None,
        } => match memory {
            None | Some(Memory { file: None }) => Some(Config::Memory),
            Some(Memory {
                file: Some(written),
            }) => file::readable(&at.key("memory").key("file"), &written).map(Config::File),
        },
    }
}
