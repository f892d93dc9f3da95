//! Sockets, TLS, HTTP, Redis and watched files, without meaning.

#[macro_use]
mod forward;
pub mod listen;
pub mod tls;
pub mod serve;
pub mod http;
pub mod path;
pub mod prefix;
pub mod redis;
pub mod watch;
