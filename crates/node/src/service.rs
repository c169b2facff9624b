//! The kernel service's two ends for JavaScript: bytes in batches, woken by one callback.
//!
//! What the bytes of a payload mean is told in `ts/service/packet.ts`; here they are moved.

use crate::fault::{Cross, argument, thrown};
use crate::value::{small, whole};
use napi::bindgen_prelude::{AsyncTask, Buffer, Function, Uint8ArraySlice};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;
use pos_kernel_core::{Error, Result};
use pos_kernel_service::{Client, ClientOptions, Kind, Post, Server, ServerLimits, ServerOptions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Listener = Arc<Mutex<Wake>>;
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Bytes before a payload in a batch of calls: kind, may be repeated, length.
const CALL_HEADER_BYTES: usize = 6;

/// What clients of a service may do; what is left out is as the service's defaults say.
#[napi(object)]
#[derive(Default)]
pub struct NativeServiceLimits {
    /// Connections at one time.
    pub connections: Option<f64>,
    /// Requests of one connection that are under way.
    pub requests: Option<f64>,
    /// Bytes of answers that a client has not read; then it is cut off.
    pub unread_bytes_max: Option<f64>,
    /// Milliseconds of a greeting.
    pub hello_ms: Option<f64>,
    /// Milliseconds of a frame.
    pub frame_ms: Option<f64>,
}

/// How to serve.
#[napi(object)]
pub struct NativeServeOptions {
    /// Folder of the store, absolute.
    pub root: String,
    /// The socket.
    pub socket: Option<String>,
    /// Users who may come in besides the own one.
    pub allowed: Vec<f64>,
    /// Version of the package.
    pub package: String,
    /// What clients may do.
    pub limits: Option<NativeServiceLimits>,
}

impl NativeServeOptions {
    fn options(self) -> Result<ServerOptions> {
        let allowed = self.allowed.iter().map(|uid| small("allowUid", *uid)).collect::<Result<_>>();
        let given = self.limits.unwrap_or_default();
        let mut limits = ServerLimits::default();
        let count = |name: &str, value: Option<f64>, limit: &mut usize| {
            if let Some(value) = value {
                *limit = small(name, value)? as usize;
            }
            Ok::<(), Error>(())
        };
        count("connections", given.connections, &mut limits.connections)?;
        count("requests", given.requests, &mut limits.requests)?;
        count("unreadBytesMax", given.unread_bytes_max, &mut limits.unread_bytes_max)?;
        if let Some(ms) = given.hello_ms {
            limits.hello = Duration::from_millis(whole("helloMs", ms)?);
        }
        if let Some(ms) = given.frame_ms {
            limits.frame = Duration::from_millis(whole("frameMs", ms)?);
        }
        Ok(ServerOptions {
            root: self.root.into(),
            socket: self.socket.map(PathBuf::from),
            allowed: allowed?,
            package: self.package,
            limits,
        })
    }
}

/// A socket that listens.
#[napi]
pub struct NativeService {
    server: Arc<Server>,
    listener: Listener,
}

/// Listens. `onWork` is called when there is work and the last has been taken; it keeps the process
/// alive until the service has stopped.
#[napi(catch_unwind)]
pub fn start_service(
    env: &Env,
    options: NativeServeOptions,
    #[napi(ts_arg_type = "() => void")] on_work: Function<'_, (), ()>,
) -> napi::Result<NativeService> {
    let options = options.options().cross(env)?;
    let listener = listen(&on_work)?;
    let heard = listener.clone();
    let wake = move || {
        locked(&heard).call((), ThreadsafeFunctionCallMode::NonBlocking);
    };
    let server = Arc::new(Server::start(options, wake).cross(env)?);
    hold(env, &listener)?;
    Ok(NativeService { server, listener })
}

#[napi]
impl NativeService {
    /// Where it listens.
    #[napi(catch_unwind)]
    pub fn socket(&self) -> String {
        self.server.socket().display().to_string()
    }

    /// Connections now.
    #[napi(catch_unwind)]
    pub fn connections(&self) -> u32 {
        u32::try_from(self.server.stats().connections).unwrap_or(u32::MAX)
    }

    /// All work that has come since the last call.
    #[napi(catch_unwind)]
    pub fn take(&self) -> Buffer {
        self.server.take().into()
    }

    /// Sends a batch of answers.
    #[napi(catch_unwind)]
    pub fn answer(&self, env: &Env, batch: Uint8ArraySlice<'_>) -> napi::Result<()> {
        self.server.answer(&batch).cross(env)
    }

    /// Stops in order; answers must go on until the promise resolves.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn stop(&self) -> AsyncTask<StopTask> {
        AsyncTask::new(StopTask { server: self.server.clone(), listener: self.listener.clone() })
    }
}

/// Stopping, on a pool thread.
pub struct StopTask {
    server: Arc<Server>,
    listener: Listener,
}

impl Task for StopTask {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        self.server.stop();
        Ok(())
    }

    fn resolve(&mut self, env: Env, (): ()) -> napi::Result<()> {
        release(&env, &self.listener)
    }
}

fn listen(on_call: &Function<'_, (), ()>) -> napi::Result<Listener> {
    let wake =
        on_call.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
    Ok(Arc::new(Mutex::new(wake)))
}

fn locked(listener: &Listener) -> MutexGuard<'_, Wake> {
    listener.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
fn hold(env: &Env, listener: &Listener) -> napi::Result<()> {
    locked(listener).refer(env)
}

#[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
fn release(env: &Env, listener: &Listener) -> napi::Result<()> {
    locked(listener).unref(env)
}

/// How to connect.
#[napi(object)]
pub struct NativeConnectOptions {
    /// Folder of the store, absolute.
    pub root: String,
    /// The socket.
    pub socket: Option<String>,
    /// Id of the terminal.
    pub terminal: String,
    /// Version of the package.
    pub package: String,
    /// Milliseconds for which calls wait for a connection that broke.
    pub patience_ms: f64,
}

impl NativeConnectOptions {
    fn options(self) -> Result<ClientOptions> {
        Ok(ClientOptions {
            root: self.root.into(),
            socket: self.socket.map(PathBuf::from),
            terminal: self.terminal,
            package: self.package,
            door: "native",
            patience: Duration::from_millis(whole("patienceMs", self.patience_ms)?),
        })
    }
}

fn connect(options: ClientOptions, listener: &Listener) -> Result<Client> {
    let heard = listener.clone();
    Client::connect(options, move || {
        locked(&heard).call((), ThreadsafeFunctionCallMode::NonBlocking);
    })
}

/// A connection to a service.
#[napi]
pub struct NativeServiceClient {
    client: Arc<Client>,
    listener: Listener,
}

/// Connects off the event loop. `onAnswers` is called when answers have come and the last ones have
/// been taken.
#[napi(catch_unwind, ts_return_type = "Promise<NativeServiceClient>")]
pub fn connect_service(
    env: &Env,
    options: NativeConnectOptions,
    #[napi(ts_arg_type = "() => void")] on_answers: Function<'_, (), ()>,
) -> napi::Result<AsyncTask<ConnectTask>> {
    let options = options.options().cross(env)?;
    Ok(AsyncTask::new(ConnectTask { options, listener: listen(&on_answers)? }))
}

/// Connects on the calling thread.
#[napi(catch_unwind)]
pub fn connect_service_sync(
    env: &Env,
    options: NativeConnectOptions,
    #[napi(ts_arg_type = "() => void")] on_answers: Function<'_, (), ()>,
) -> napi::Result<NativeServiceClient> {
    let listener = listen(&on_answers)?;
    let connected = options.options().and_then(|options| connect(options, &listener));
    let client = Arc::new(connected.cross(env)?);
    Ok(NativeServiceClient { client, listener })
}

#[napi]
impl NativeServiceClient {
    /// What the service said when it let this client in.
    #[napi(catch_unwind)]
    pub fn welcome(&self) -> String {
        String::from_utf8_lossy(&self.client.welcome()).into_owned()
    }

    /// Sends calls, each as u8 kind, u8 1 when it may be repeated, u32 length, payload; gives the
    /// number of the first.
    #[napi(catch_unwind)]
    pub fn post(&self, env: &Env, batch: Uint8ArraySlice<'_>) -> napi::Result<i64> {
        let post = || -> Result<u64> { self.client.post(&calls(&batch)?) };
        post().map(crate::value::number).cross(env)
    }

    /// Sends one such call and waits for its answer: u8 kind, payload.
    #[napi(catch_unwind)]
    pub fn call(&self, env: &Env, call: Uint8ArraySlice<'_>) -> napi::Result<Buffer> {
        let call = || -> Result<Vec<u8>> {
            let calls = calls(&call)?;
            let [call] = &calls[..] else { return Err(malformed()) };
            let (kind, mut payload) = self.client.call(*call)?;
            payload.insert(0, kind as u8);
            Ok(payload)
        };
        call().map(Into::into).cross(env)
    }

    /// The answers that have come since the last time, as frames.
    #[napi(catch_unwind)]
    pub fn take(&self) -> Buffer {
        self.client.take().into()
    }

    /// Keeps the process alive until [`Self::release`]: an answer is on its way.
    #[napi(catch_unwind)]
    pub fn hold(&self, env: &Env) -> napi::Result<()> {
        hold(env, &self.listener)
    }

    /// Lets the process end while the connection is open.
    #[napi(catch_unwind)]
    pub fn release(&self, env: &Env) -> napi::Result<()> {
        release(env, &self.listener)
    }

    /// Says goodbye once nothing is under way, on the calling thread.
    #[napi(catch_unwind)]
    pub fn close_sync(&self) {
        self.client.close();
    }

    /// Says goodbye once nothing is under way.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self) -> AsyncTask<LeaveTask> {
        AsyncTask::new(LeaveTask { client: self.client.clone() })
    }
}

/// The calls of a batch.
fn calls(mut batch: &[u8]) -> Result<Vec<Post<'_>>> {
    let mut calls = Vec::new();
    while !batch.is_empty() {
        let Some((header, rest)) = batch.split_first_chunk::<CALL_HEADER_BYTES>() else {
            return Err(malformed());
        };
        let [kind, may_repeat, length @ ..] = *header;
        let length = u32::from_le_bytes(length) as usize;
        let Some((payload, behind)) = rest.split_at_checked(length) else {
            return Err(malformed());
        };
        let kind = Kind::of(kind).filter(|kind| kind.is_request()).ok_or_else(malformed)?;
        calls.push(Post { kind, may_repeat: may_repeat == 1, payload });
        batch = behind;
    }
    Ok(calls)
}

fn malformed() -> Error {
    argument("batch", "batch does not hold calls as they are packed".to_owned())
}

/// Connecting, on a pool thread.
pub struct ConnectTask {
    options: ClientOptions,
    listener: Listener,
}

impl Task for ConnectTask {
    type Output = std::result::Result<Client, Error>;
    type JsValue = NativeServiceClient;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(connect(self.options.clone(), &self.listener))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeServiceClient> {
        let client = Arc::new(output.map_err(|error| thrown(&env, &error))?);
        Ok(NativeServiceClient { client, listener: self.listener.clone() })
    }
}

/// Leaving, on a pool thread.
pub struct LeaveTask {
    client: Arc<Client>,
}

impl Task for LeaveTask {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        self.client.close();
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}
