//! The local socket between a kernel service, which has the journals, and its clients, which sell.
//!
//! ```text
//!  client process                                   service process
//!   host ── Client ── outbox ═══ frames ═══► reader ── Server ── work, in order ──► host
//!             ▲                                          │ seats: one client a terminal
//!             └──── reader ◄═══ frames ═══ outbox ◄──────┴── answers ◄──────────────┘
//! ```
//!
//! What lives here: the bytes of a frame, who may come in and sit down, how much may be under way, and
//! what becomes of a call whose connection breaks. What must not: any knowledge of what a call means;
//! a payload is opaque, and its sender says whether it may be sent twice. There is no `unsafe`.
//!
//! The promises guarded here: **a call is handed to the service's host at most once a connection, in
//! the order in which its client made it**; a call is sent again only when it was certainly not taken,
//! or when its sender said that doing so changes nothing; every call ends, with an answer or with an
//! error that says whether it may have been done. No peer, by what it sends or does not read, takes
//! more than a bounded part of the other's memory.
//!
//! Read `frame.rs` first (the bytes), then `greeting.rs` (how a connection begins), `server.rs`,
//! `connection.rs`, and `client.rs`. Where there are no Unix sockets, `absent.rs` says so.

#![forbid(unsafe_code)]

mod fault;
mod frame;
mod greeting;

pub use frame::{FRAME_BYTES_MAX, Frames, HEADER_BYTES, Kind, PAYLOAD_BYTES_MAX, PROTOCOL, frame};
pub use greeting::Hello;

#[cfg(unix)]
mod client;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod outbox;
#[cfg(unix)]
mod peer;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod seat;
#[cfg(unix)]
mod server;
#[cfg(unix)]
pub use {
    client::{Client, ClientOptions, Post},
    place::SOCKET_PATH_BYTES_MAX,
    server::{Server, ServerLimits, ServerOptions, ServerStats},
};

#[cfg(not(unix))]
mod absent;
#[cfg(not(unix))]
pub use absent::{Client, ClientOptions, Post, Server, ServerLimits, ServerOptions, ServerStats};
