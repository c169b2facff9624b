//! The client's end: one connection, calls in one order, answers by number, and coming back.
//!
//! ```text
//! post (many at once) ─┐                           ┌─► arrived ─► take(), after `wake`
//! call (waits) ────────┴► under way ─► outbox      │
//!                            ▲            ║        │
//!                            │            ▼        │
//!        sent again, in order│         service ══► reader thread ─► whoever waits for that number
//!                            └── reconnects, greets with the same session
//! ```
//! When the connection breaks, a call that the socket has certainly not taken whole, or that the
//! service says it has not taken, or that may be sent twice, stays under way and is sent again once
//! the connection is back; any other ends as `PK_E_OUTCOME_UNKNOWN`. A connection that does not come
//! back in time ends them all, the calls that were never sent with `PK_E_SERVICE_DOWN`; the client goes
//! on trying, and works again once somebody serves.

use crate::fault;
use crate::frame::{FRAME_BYTES_MAX, Frames, HEADER_BYTES, Kind, PAYLOAD_BYTES_MAX, frame};
use crate::greeting::Hello;
use crate::link::Link;
use crate::place::{check_length, socket_of};
use pos_kernel_core::{Code, Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Connections that may break under a call that may be sent again: one that ends its service each time
/// is not sent for ever.
const LOSSES_MAX: u32 = 16;

/// How long a service may take to let a client go.
const LEAVING: Duration = Duration::from_secs(10);

const BACK_OFF_MIN: Duration = Duration::from_millis(5);
const BACK_OFF_MAX: Duration = Duration::from_millis(500);

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Folder of the store; its service is found there.
    pub root: PathBuf,
    /// The socket, where it is elsewhere.
    pub socket: Option<PathBuf>,
    /// Id of the terminal.
    pub terminal: String,
    /// Version of the host's package.
    pub package: String,
    /// `native` or `script`.
    pub door: &'static str,
    /// How long calls wait for a connection that broke to come back.
    pub patience: Duration,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// What it is.
    pub kind: Kind,
    /// It may be sent twice: doing so changes nothing.
    pub may_repeat: bool,
    /// What it carries.
    pub payload: &'a [u8],
}

/// A client that sits at one terminal of a service.
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    options: ClientOptions,
    socket: PathBuf,
    session: String,
    state: Mutex<State>,
    changed: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Debug)]
struct State {
    line: Line,
    /// Number of the next call.
    next: u64,
    under_way: BTreeMap<u64, UnderWay>,
    /// Answers for calls that wait.
    answers: HashMap<u64, (Kind, Vec<u8>)>,
    /// Answers for the others, as frames.
    arrived: Vec<u8>,
    is_woken: bool,
    /// The thread that reads has ended.
    is_over: bool,
    welcome: Vec<u8>,
}

#[derive(Debug)]
enum Line {
    Up(Link),
    /// Broken; calls wait for it.
    Waiting,
    /// Broken for longer than anybody waits; what was found last.
    Down(Error),
    Closed,
}

#[derive(Debug)]
struct UnderWay {
    frame: Vec<u8>,
    may_repeat: bool,
    /// Its answer is waited for by a thread.
    is_waited: bool,
    /// Bytes that the socket of this connection has taken once it is sent; `None` before.
    sent_at: Option<u64>,
    /// On how many connections it was sent whole and not answered.
    losses: u32,
}

impl Client {
    /// Connects and sits down. `wake` is called, from any thread, when answers of posted calls have
    /// come and the last ones have been taken.
    ///
    /// # Errors
    /// `PK_E_SERVICE_DOWN`, `PK_E_TERMINAL_IN_USE`, `PK_E_NOT_ALLOWED`, `PK_E_PROTOCOL_VERSION`,
    /// `PK_E_LIMIT`, and what the service's host refuses the terminal with.
    pub fn connect(
        options: ClientOptions,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self> {
        let socket = options.socket.clone().unwrap_or_else(|| socket_of(&options.root));
        check_length(&socket)?;
        let session = session()?;
        let (link, welcome, frames) = Link::open(&socket, &hello(&options, &session))?;
        let state = Mutex::new(State {
            line: Line::Up(link.clone()),
            next: 1,
            under_way: BTreeMap::new(),
            answers: HashMap::new(),
            arrived: Vec::new(),
            is_woken: false,
            is_over: false,
            welcome,
        });
        let (changed, wake) = (Condvar::new(), Box::new(wake));
        let inner = Arc::new(Inner { options, socket, session, state, changed, wake });
        let reading = inner.clone();
        thread::Builder::new()
            .name("pos-kernel-client".to_owned())
            .spawn(move || reading.run(link, frames))
            .map_err(|error| fault::io("start a thread for", &inner.socket, &error))?;
        Ok(Self { inner })
    }

    /// What the service said when this client sat down, last time it did.
    #[must_use]
    pub fn welcome(&self) -> Vec<u8> {
        self.inner.lock().welcome.clone()
    }

    /// Sends calls in this order and gives the number of the first; the others follow it.
    ///
    /// # Errors
    /// `PK_E_LIMIT` for a payload that is too large, `PK_E_SERVICE_DOWN`, `PK_E_CLOSED`: none was sent.
    pub fn post(&self, calls: &[Post<'_>]) -> Result<u64> {
        self.inner.post(calls, false)
    }

    /// Sends a call behind all that were sent before and waits for its answer.
    ///
    /// # Errors
    /// As [`Client::post`]; the call's own error, and `PK_E_OUTCOME_UNKNOWN`.
    pub fn call(&self, call: Post<'_>) -> Result<(Kind, Vec<u8>)> {
        let number = self.inner.post(&[call], true)?;
        let state = self.inner.lock();
        let is_missing = |state: &mut State| !state.answers.contains_key(&number);
        let waited = self.inner.changed.wait_while(state, is_missing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let (kind, payload) = state.answers.remove(&number).expect("it was waited for");
        match kind {
            Kind::Error => Err(fault::of_json(&payload)),
            _ => Ok((kind, payload)),
        }
    }

    /// The answers of posted calls that have come since the last time, as frames.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        let mut state = self.inner.lock();
        state.is_woken = false;
        std::mem::take(&mut state.arrived)
    }

    /// Waits until nothing is under way, says goodbye and ends. Closing twice does nothing.
    pub fn close(&self) {
        let inner = &self.inner;
        let state = inner.lock();
        let is_busy =
            |state: &mut State| !state.under_way.is_empty() && !matches!(state.line, Line::Closed);
        let mut state =
            inner.changed.wait_while(state, is_busy).unwrap_or_else(PoisonError::into_inner);
        let line = std::mem::replace(&mut state.line, Line::Closed);
        inner.changed.notify_all();
        if let Line::Up(link) = line {
            let mut goodbye = Vec::new();
            frame(&mut goodbye, Kind::Goodbye, 0, &[]);
            link.outbox.push(&goodbye);
            link.outbox.end();
            // The service ends the connection once the seat is free for the next client.
            let is_leaving = |state: &mut State| !state.is_over;
            let waited = inner.changed.wait_timeout_while(state, LEAVING, is_leaving);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            link.outbox.cut();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        if let Line::Up(link) = std::mem::replace(&mut state.line, Line::Closed) {
            link.outbox.cut();
        }
        self.inner.changed.notify_all();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("socket", &self.inner.socket).finish_non_exhaustive()
    }
}

impl Inner {
    fn post(&self, calls: &[Post<'_>], is_waited: bool) -> Result<u64> {
        if let Some(large) = calls.iter().find(|call| call.payload.len() > PAYLOAD_BYTES_MAX) {
            let next = "send less in one call";
            let size = large.payload.len() + HEADER_BYTES;
            return Err(fault::limit("bytes of a call", size, FRAME_BYTES_MAX, next));
        }
        let mut state = self.lock();
        match &state.line {
            Line::Up(_) | Line::Waiting => {}
            Line::Down(error) => return Err(error.clone()),
            Line::Closed => return Err(fault::closed()),
        }
        let first = state.next;
        for call in calls {
            let number = state.next;
            state.next += 1;
            let mut bytes = Vec::new();
            frame(&mut bytes, call.kind, number, call.payload);
            let call = UnderWay {
                frame: bytes,
                may_repeat: call.may_repeat,
                is_waited,
                sent_at: None,
                losses: 0,
            };
            state.under_way.insert(number, call);
        }
        state.send_from(first);
        Ok(first)
    }

    /// Reads answers; when the connection breaks, brings it back.
    fn run(&self, mut link: Link, mut frames: Frames) {
        loop {
            let taken = self.read(&link, &mut frames);
            let mut state = self.lock();
            if matches!(state.line, Line::Closed) {
                return self.end(&mut state);
            }
            state.line = Line::Waiting;
            self.sort_out(&mut state, &link, taken);
            drop(state);
            let Some((next, rest)) = self.come_back() else {
                return self.end(&mut self.lock());
            };
            (link, frames) = (next, rest);
        }
    }

    /// Reads until the end; gives the last call that the service says it has taken.
    fn read(&self, link: &Link, frames: &mut Frames) -> Option<u64> {
        loop {
            let mut state = self.lock();
            let mut last = None;
            let mut is_over = false;
            loop {
                match frames.next_frame() {
                    Ok(Some(answer)) if answer.kind == Kind::Goodbye => last = Some(answer.number),
                    Ok(Some(answer)) if answer.kind.is_answer() => {
                        state.settle(answer.number, answer.kind, answer.payload, answer.bytes);
                    }
                    Ok(None) => break,
                    // What is no answer ends the connection: nothing behind it can be believed.
                    Ok(Some(_)) | Err(_) => {
                        is_over = true;
                        break;
                    }
                }
            }
            self.tell(&mut state);
            drop(state);
            if last.is_some() {
                return last;
            }
            if is_over || !link.fill(frames) {
                link.outbox.cut();
                return None;
            }
        }
    }

    /// Wakes whoever waits for answers.
    fn tell(&self, state: &mut State) {
        self.changed.notify_all();
        if !state.arrived.is_empty() && !std::mem::replace(&mut state.is_woken, true) {
            (self.wake)();
        }
    }

    /// Ends the calls of a broken connection that may not be sent again.
    fn sort_out(&self, state: &mut State, link: &Link, taken: Option<u64>) {
        let sent = link.outbox.sent();
        let mut lost = Vec::new();
        for (number, call) in &mut state.under_way {
            let was_sent_now = call.sent_at.is_some_and(|at| at <= sent);
            // The service has said goodbye: what it has not taken, it has not done.
            let was_taken = was_sent_now && taken.is_none_or(|last| *number <= last);
            call.losses += u32::from(was_taken);
            call.sent_at = None;
            if call.losses > if call.may_repeat { LOSSES_MAX } else { 0 } {
                lost.push(*number);
            }
        }
        let error = fault::unknown(&self.socket);
        for number in lost {
            state.fail(number, &error);
        }
        self.tell(state);
    }

    /// Connects again, for as long as it takes; `None` once the client is closed.
    fn come_back(&self) -> Option<(Link, Frames)> {
        let until = Instant::now() + self.options.patience;
        let mut pause = Duration::ZERO;
        let mut is_given_up = false;
        loop {
            let state = self.lock();
            let is_open = |state: &mut State| !matches!(state.line, Line::Closed);
            let waited = self.changed.wait_timeout_while(state, pause, is_open);
            let state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if matches!(state.line, Line::Closed) {
                return None;
            }
            drop(state);
            pause = (pause * 2).clamp(BACK_OFF_MIN, BACK_OFF_MAX);
            match Link::open(&self.socket, &hello(&self.options, &self.session)) {
                Ok((link, welcome, frames)) => {
                    let mut state = self.lock();
                    if matches!(state.line, Line::Closed) {
                        link.outbox.cut();
                        return None;
                    }
                    state.welcome = welcome;
                    state.line = Line::Up(link.clone());
                    state.send_from(0);
                    return Some((link, frames));
                }
                Err(error) => {
                    let is_final = !matches!(error.code(), Code::ServiceDown);
                    if is_given_up || is_final || Instant::now() >= until {
                        is_given_up = true;
                        self.give_up(&error);
                        pause = BACK_OFF_MAX;
                    }
                }
            }
        }
    }

    /// Nobody waits any longer.
    fn give_up(&self, error: &Error) {
        let mut state = self.lock();
        if matches!(state.line, Line::Closed) {
            return;
        }
        state.line = Line::Down(error.clone());
        state.fail_all(error, &fault::unknown(&self.socket));
        self.tell(&mut state);
    }

    fn end(&self, state: &mut State) {
        state.is_over = true;
        state.fail_all(&fault::closed(), &fault::unknown(&self.socket));
        self.tell(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends what is under way from a number on, in order, where there is a connection.
    fn send_from(&mut self, first: u64) {
        let Line::Up(link) = &self.line else { return };
        let mut bytes = Vec::new();
        let before = link.pushed();
        for (_, call) in self.under_way.range_mut(first..) {
            bytes.extend_from_slice(&call.frame);
            call.sent_at = Some(before + bytes.len() as u64);
        }
        link.push(&bytes);
    }

    /// Gives an answer to whoever waits for it; one that nobody waits for is dropped.
    fn settle(&mut self, number: u64, kind: Kind, payload: &[u8], bytes: &[u8]) {
        let Some(call) = self.under_way.remove(&number) else { return };
        if call.is_waited {
            self.answers.insert(number, (kind, payload.to_vec()));
        } else {
            self.arrived.extend_from_slice(bytes);
        }
    }

    fn fail(&mut self, number: u64, error: &Error) {
        let payload = fault::to_json(error).to_string().into_bytes();
        let mut bytes = Vec::new();
        frame(&mut bytes, Kind::Error, number, &payload);
        self.settle(number, Kind::Error, &payload, &bytes);
    }

    fn fail_all(&mut self, unsent: &Error, sent: &Error) {
        let calls: Vec<_> =
            self.under_way.iter().map(|(number, call)| (*number, call.losses > 0)).collect();
        for (number, was_sent) in calls {
            self.fail(number, if was_sent { sent } else { unsent });
        }
    }
}

fn hello(options: &ClientOptions, session: &str) -> Hello {
    Hello {
        package: options.package.clone(),
        door: options.door.to_owned(),
        terminal: options.terminal.clone(),
        session: session.to_owned(),
    }
}

/// What this client is known by: nobody else guesses it.
fn session() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Code::Io, format!("the system gives no random bytes: {error}"))
            .with("operation", "getrandom")
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
