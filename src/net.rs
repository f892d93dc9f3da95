//! Sockets, TLS, HTTP and watched files, without meaning.

pub mod listen;
pub mod tls;
