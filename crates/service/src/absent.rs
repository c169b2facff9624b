//! What stands here where there are no Unix sockets: every call says that it cannot be done.
//!
//! Named pipes would do; until they are built, a service and its clients run on Unix only, and the
//! terminals of a process work everywhere.

use crate::frame::Kind;
use pos_kernel_core::{Code, Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Folder of the store, absolute.
    pub root: PathBuf,
    /// The socket.
    pub socket: Option<PathBuf>,
    /// Users who may come in.
    pub allowed: Vec<u32>,
    /// Version of the host's package.
    pub package: String,
    /// What clients may do.
    pub limits: ServerLimits,
}

/// What clients may do.
#[derive(Debug, Clone, Default)]
pub struct ServerLimits {
    /// Connections at one time.
    pub connections: usize,
    /// Requests of one connection that are under way.
    pub requests: usize,
    /// Their bytes.
    pub request_bytes: usize,
    /// Bytes of answers that a client has not read; then it is not read.
    pub unread_bytes: usize,
    /// Bytes of answers that a client has not read; then it is cut off.
    pub unread_bytes_max: usize,
    /// How long a greeting may take.
    pub hello: Duration,
    /// How long a frame may take.
    pub frame: Duration,
    /// How long a client may take nothing.
    pub send: Duration,
    /// How long stopping waits.
    pub stop: Duration,
}

/// What a server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStats {
    /// Connections now.
    pub connections: usize,
    /// Connections since it began.
    pub accepted: u64,
}

/// A service. There is none here.
#[derive(Debug)]
pub struct Server(std::convert::Infallible);

impl Server {
    /// Says that this platform has no service.
    ///
    /// # Errors
    /// `PK_E_UNSUPPORTED`.
    pub fn start(
        _options: ServerOptions,
        _wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self> {
        Err(unsupported())
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        match self.0 {}
    }

    /// All work that has come.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        match self.0 {}
    }

    /// Sends answers.
    ///
    /// # Errors
    /// None here.
    pub fn answer(&self, _batch: &[u8]) -> Result<()> {
        match self.0 {}
    }

    /// What it has done.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        match self.0 {}
    }

    /// Stops.
    pub fn stop(&self) {
        match self.0 {}
    }
}

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Folder of the store.
    pub root: PathBuf,
    /// The socket.
    pub socket: Option<PathBuf>,
    /// Id of the terminal.
    pub terminal: String,
    /// Version of the host's package.
    pub package: String,
    /// `native` or `script`.
    pub door: &'static str,
    /// How long calls wait for a connection that broke.
    pub patience: Duration,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// What it is.
    pub kind: Kind,
    /// It may be sent twice.
    pub may_repeat: bool,
    /// What it carries.
    pub payload: &'a [u8],
}

/// A client. There is none here.
#[derive(Debug)]
pub struct Client(std::convert::Infallible);

impl Client {
    /// Says that this platform has no service.
    ///
    /// # Errors
    /// `PK_E_UNSUPPORTED`.
    pub fn connect(
        _options: ClientOptions,
        _wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self> {
        Err(unsupported())
    }

    /// What the service said.
    #[must_use]
    pub fn welcome(&self) -> Vec<u8> {
        match self.0 {}
    }

    /// Sends calls.
    ///
    /// # Errors
    /// None here.
    pub fn post(&self, _calls: &[Post<'_>]) -> Result<u64> {
        match self.0 {}
    }

    /// Sends a call and waits.
    ///
    /// # Errors
    /// None here.
    pub fn call(&self, _call: Post<'_>) -> Result<(Kind, Vec<u8>)> {
        match self.0 {}
    }

    /// The answers that have come.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        match self.0 {}
    }

    /// Ends.
    pub fn close(&self) {
        match self.0 {}
    }
}

fn unsupported() -> Error {
    let message = "the kernel service needs Unix sockets, which this platform does not have: it is \
                   not supported here yet. Open the terminal in this process instead";
    Error::new(Code::Unsupported, message).with("what", "kernel service")
}
