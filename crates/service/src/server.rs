//! The service's end: a socket that listens, the connections, and their requests in one order.
//!
//! The host is woken when there is work, takes all of it at once and answers when it likes, in any
//! order. Both ways the bytes are the same, so that a host written in another language cuts them up
//! with one loop:
//!
//! ```text
//! u32  number of the connection          then one frame, as `frame.rs` says
//!        work:   Hello (payload: terminal, door, pid, uid), requests, Goodbye (it has left)
//!        answer: Welcome or Refused once, then Answer, Error, Sold
//! ```

use crate::connection::Connection;
use crate::fault;
use crate::frame::{Frames, Kind, frame};
use crate::outbox::Outbox;
use crate::peer;
use crate::place::{Place, socket_of};
use crate::seat::Seats;
use pos_kernel_core::{Code, Error, Result};
use std::collections::HashMap;
use std::fmt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Folder of the store, absolute.
    pub root: PathBuf,
    /// The socket; `service/service.sock` in the root when left out.
    pub socket: Option<PathBuf>,
    /// Users who may come in besides the one that the service runs as.
    pub allowed: Vec<u32>,
    /// Version of the host's package.
    pub package: String,
    /// What clients may do.
    pub limits: ServerLimits,
}

/// What clients may do.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections at one time.
    pub connections: usize,
    /// Requests of one connection that are under way; then it is not read.
    pub requests: usize,
    /// Their bytes; then it is not read.
    pub request_bytes: usize,
    /// Bytes of answers that a client has not read; then it is not read either.
    pub unread_bytes: usize,
    /// Bytes of answers that a client has not read; then it is cut off.
    pub unread_bytes_max: usize,
    /// How long a greeting may take.
    pub hello: Duration,
    /// How long a frame may take, from its first byte to its last.
    pub frame: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub send: Duration,
    /// How long stopping waits for answers and for clients that read them.
    pub stop: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            requests: 1024,
            request_bytes: 8 << 20,
            unread_bytes: 1 << 20,
            unread_bytes_max: 64 << 20,
            hello: Duration::from_secs(5),
            frame: Duration::from_secs(30),
            send: Duration::from_secs(30),
            stop: Duration::from_secs(10),
        }
    }
}

/// What a server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStats {
    /// Connections now.
    pub connections: usize,
    /// Connections since it began.
    pub accepted: u64,
}

/// A service that listens. [`Server::stop`] ends it in order, dropping it does not.
pub struct Server {
    shared: Arc<Shared>,
    place: Mutex<Option<Place>>,
    listening: Mutex<Option<JoinHandle<()>>>,
    socket: PathBuf,
}

/// What all threads of a server have.
pub(crate) struct Shared {
    pub(crate) limits: ServerLimits,
    pub(crate) allowed: Vec<u32>,
    pub(crate) package: String,
    pub(crate) seats: Seats,
    connections: Mutex<HashMap<u32, Arc<Connection>>>,
    work: Mutex<Work>,
    wake: Box<dyn Fn() + Send + Sync>,
    is_woken: AtomicBool,
    is_stopping: AtomicBool,
    next: AtomicU32,
    accepted: AtomicU64,
}

/// What the host has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Work(Vec<u8>);

impl Work {
    pub(crate) fn put(&mut self, connection: u32, bytes: &[u8]) {
        self.0.extend_from_slice(&connection.to_le_bytes());
        self.0.extend_from_slice(bytes);
    }
}

impl Server {
    /// Takes the place of the store and listens. `wake` is called, from any thread, when there is work
    /// and the last work has been taken.
    ///
    /// # Errors
    /// `PK_E_SERVICE_IN_USE` when another process serves there, `PK_E_LIMIT` for a path that is too
    /// long, `PK_E_UNSUPPORTED` for users where the system does not tell who a peer is, `PK_E_IO`.
    pub fn start(options: ServerOptions, wake: impl Fn() + Send + Sync + 'static) -> Result<Self> {
        let ServerOptions { root, socket, mut allowed, package, limits } = options;
        if !allowed.is_empty() && !peer::IS_KNOWN {
            let message = "this system does not tell a service who its peer is, so other users \
                           cannot be let in; serve without --allow-uid";
            return Err(Error::new(Code::Unsupported, message).with("what", "allow-uid"));
        }
        let socket = socket.unwrap_or_else(|| socket_of(&root));
        let place = Place::take(&socket, !allowed.is_empty())?;
        allowed.push(rustix::process::geteuid().as_raw());
        let shared = Arc::new(Shared {
            limits,
            allowed,
            package,
            seats: Seats::default(),
            connections: Mutex::default(),
            work: Mutex::default(),
            wake: Box::new(wake),
            is_woken: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            next: AtomicU32::new(1),
            accepted: AtomicU64::new(0),
        });
        let listener = place.listener.try_clone();
        let listener = listener.map_err(|error| fault::io("listen at", &socket, &error))?;
        let accepting = shared.clone();
        let listening = thread::Builder::new()
            .name("pos-kernel-accept".to_owned())
            .spawn(move || accepting.accept(&listener))
            .map_err(|error| fault::io("listen at", &socket, &error))?;
        let (place, listening) = (Mutex::new(Some(place)), Mutex::new(Some(listening)));
        Ok(Self { shared, place, listening, socket })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &std::path::Path {
        &self.socket
    }

    /// All work that has come since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        self.shared.is_woken.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.shared.work().0)
    }

    /// Sends answers; those of connections that are gone are dropped.
    ///
    /// # Errors
    /// `PK_E_BAD_FRAME` for bytes that are no answers; those before them are sent.
    pub fn answer(&self, mut batch: &[u8]) -> Result<()> {
        let mut sending: Option<Sending> = None;
        let result = loop {
            let Some((number, rest)) = batch.split_first_chunk::<4>() else { break Ok(()) };
            let number = u32::from_le_bytes(*number);
            let size = rest.first_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize + 4);
            let Some((bytes, behind)) = size.and_then(|size| rest.split_at_checked(size)) else {
                break Err(fault::bad_frame("an answer is cut short"));
            };
            let mut frames = Frames::default();
            frames.put(bytes);
            let (kind, call) = match frames.next_frame() {
                Ok(Some(answer)) => (answer.kind, answer.number),
                Ok(None) => break Err(fault::bad_frame("an answer is cut short")),
                Err(error) => break Err(error),
            };
            batch = behind;
            if sending.as_ref().is_none_or(|sending| sending.connection.number != number) {
                if let Some(done) = sending.take() {
                    done.send();
                }
                let connection = self.shared.connection(number);
                sending = connection.map(|connection| Sending {
                    connection,
                    bytes: Vec::new(),
                    answers: Vec::new(),
                });
            }
            if let Some(sending) = &mut sending
                && sending.connection.awaits(kind, call)
            {
                sending.bytes.extend_from_slice(bytes);
                sending.answers.push((kind, call));
            }
        };
        if let Some(done) = sending {
            done.send();
        }
        result
    }

    /// What it has done.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        ServerStats {
            connections: self.shared.connections().len(),
            accepted: self.shared.accepted.load(Ordering::Relaxed),
        }
    }

    /// Stops in order: nobody comes in and nothing is taken any more; what was taken is answered, each
    /// client hears up to which call that was, and the place is free. The host must go on answering.
    pub fn stop(&self) {
        if self.shared.is_stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        // It wakes the thread that accepts, which finds that it shall stop.
        drop(UnixStream::connect(&self.socket));
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listening) = listening {
            // One that has panicked accepts no more either.
            let _ = listening.join();
        }
        let until = Instant::now() + self.shared.limits.stop;
        let connections: Vec<_> = self.shared.connections().values().cloned().collect();
        for connection in &connections {
            connection.stop_reading();
        }
        for connection in &connections {
            connection.finish(until);
        }
        for connection in &connections {
            connection.outbox.wait_ended(until);
        }
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// Answers for one connection.
struct Sending {
    connection: Arc<Connection>,
    bytes: Vec<u8>,
    answers: Vec<(Kind, u64)>,
}

impl Sending {
    /// Sends them, and only then calls them answered: whoever waits for that has a last word to say
    /// behind them.
    fn send(self) {
        let Sending { connection, bytes, answers } = self;
        connection.outbox.push(&bytes);
        connection.settle(&answers);
    }
}

impl Shared {
    /// Accepts until the service stops. A connection that cannot be served costs only itself.
    fn accept(self: &Arc<Self>, listener: &UnixListener) {
        for socket in listener.incoming() {
            if self.is_stopping() {
                return;
            }
            match socket {
                Ok(socket) => drop(self.serve(socket)),
                // Out of descriptors: the clients that leave give some back.
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn serve(self: &Arc<Self>, socket: UnixStream) -> std::io::Result<()> {
        let peer = peer::peer_of(&socket)?;
        socket.set_write_timeout(Some(self.limits.send))?;
        let outbox = Outbox::new(socket.try_clone()?, self.limits.unread_bytes_max)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(number, socket, peer, outbox.clone()));
        let held = self.connections().len();
        if held >= self.limits.connections {
            let next = "close some, or start another service";
            connection.refuse(&fault::limit("connections", held + 1, held, next));
            return Ok(());
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.connections().insert(number, connection.clone());
        let shared = self.clone();
        let started = thread::Builder::new().name("pos-kernel-read".to_owned()).spawn(move || {
            connection.run(&shared);
            shared.connections().remove(&number);
        });
        if started.is_err() {
            outbox.cut();
            self.connections().remove(&number);
        }
        started.map(drop)
    }

    /// Gives the host something of the service's own about a connection.
    pub(crate) fn give(&self, connection: &Connection, kind: Kind, number: u64, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame(&mut bytes, kind, number, payload);
        self.work().put(connection.number, &bytes);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if !self.work().0.is_empty() && !self.is_woken.swap(true, Ordering::SeqCst) {
            (self.wake)();
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self, number: u32) -> Option<Arc<Connection>> {
        self.connections().get(&number).cloned()
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u32, Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
