//! The minimiser: a PLA text in, a smaller one and its covers out.
//!
//! A run takes from microseconds to minutes, so it has a thread of its own. Node's pool of four
//! threads reads files and opens terminals; a few long runs there would keep all of that waiting,
//! and a process could not exit before they end.

use crate::fault::{Cross, argument, thrown};
use crate::isolated::{self, NativeIsolation};
use crate::value::{number, small, whole};
use napi::bindgen_prelude::{Buffer, FnArgs, Function, Object, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Either, Env, Status};
use napi_derive::napi;
use pos_kernel_core::{Code, Error, Result};
use pos_kernel_espresso as espresso;
use pos_kernel_espresso::{
    Cancel, Cost, Cover, Minimizer, Mode, Pla, PlaFailure, PlaProblem, Sets,
};
use pos_kernel_isolate::{Ender, IsolateError, Job};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread::Builder;
use std::time::{Duration, Instant};

type ProgressArgs = FnArgs<(String, i64)>;
type ProgressCallback<'a> = Function<'a, ProgressArgs, ()>;
type Listener = ThreadsafeFunction<ProgressArgs, (), ProgressArgs, Status, false, true>;

/// Stack of a run. Its recursions go as deep as a table has variables; untouched pages cost nothing.
const STACK_BYTES: usize = 256 << 20;

/// Largest table.
const TABLE_BYTES_MAX: usize = 256 << 20;

/// How to minimise.
#[napi(object)]
#[derive(Clone)]
pub struct NativeMinimizeOptions {
    /// `fast`, `normal`, `strong` or `exact`.
    pub mode: String,
    /// Ends the run with the best answer so far.
    pub time_limit_ms: Option<f64>,
    /// Memory that covers and recursions may take.
    pub memory_limit_bytes: Option<f64>,
    /// Threads of one run.
    pub threads: f64,
    /// Sets that the answer's text lists: `f`, `fd`, `fr` or `fdr`.
    pub write: String,
    /// In a worker process.
    pub isolated: Option<NativeIsolation>,
}

/// Literals of a cover.
#[napi(object)]
pub struct NativeLiterals {
    /// Of binary inputs.
    pub inputs: i64,
    /// Ones in the fields of multi-valued inputs.
    pub valued: i64,
    /// Ones in the output columns.
    pub outputs: i64,
}

/// A minimised function.
#[napi(object)]
pub struct NativeMinimized {
    /// Binary inputs.
    pub binary: i64,
    /// Sizes of the multi-valued inputs.
    pub valued: Vec<i64>,
    /// Outputs.
    pub outputs: i64,
    /// Names of the binary inputs; none when not given.
    pub input_names: Vec<String>,
    /// Names of the values, for each multi-valued input; none when not given.
    pub value_names: Vec<Vec<String>>,
    /// Names of the outputs; none when not given.
    pub output_names: Vec<String>,
    /// Which sets the rows of the question list.
    pub kind: String,
    /// ON rows of the question.
    pub products_in: i64,
    /// Products of the answer.
    pub products_out: i64,
    /// Literals of the question.
    pub literals_in: NativeLiterals,
    /// Literals of the answer.
    pub literals_out: NativeLiterals,
    /// No cover has fewer products.
    pub lower_bound: i64,
    /// The answer has the fewest products possible.
    pub proved: bool,
    /// A limit ended the run before it had settled.
    pub stopped_early: bool,
    /// The text of the answer, read again, is the cover that the minimiser has verified.
    pub verified: bool,
    /// Wall time.
    pub seconds: f64,
    /// Rows of the ON cover, all of one length, each with a line feed.
    pub f: Buffer,
    /// Rows of the don't-cares; absent when they are whatever the others leave.
    pub d: Option<Buffer>,
    /// Rows of the OFF cover; absent when there are too many to be listed.
    pub r: Option<Buffer>,
    /// The answer as PLA text, with the names of the question.
    pub pla: String,
    /// What is odd about the question, and harmless.
    pub notes: Vec<String>,
}

/// Ends a run from outside. A handle that is collected ends its run too, so that none outlives its
/// thread of JavaScript: hold it until the answer is there.
#[napi]
#[derive(Default)]
pub struct NativeCancel {
    flag: Cancel,
    ender: Ender,
}

#[napi]
impl NativeCancel {
    /// A handle that has ended nothing yet.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run within milliseconds.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.flag.cancel();
        self.ender.end();
    }
}

impl Drop for NativeCancel {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Minimises a table on a thread of its own. `onProgress` hears what comes next and the products.
#[napi(catch_unwind, ts_return_type = "Promise<NativeMinimized>")]
pub fn minimize<'env>(
    env: &'env Env,
    table: Either<String, Uint8Array>,
    options: NativeMinimizeOptions,
    cancel: &NativeCancel,
    #[napi(ts_arg_type = "((phase: string, products: number) => void) | null")] on_progress: Option<
        ProgressCallback<'_>,
    >,
) -> napi::Result<Object<'env>> {
    let mut run = Run::new(table, options);
    run.cancel = Some(cancel.flag.clone());
    run.ender = cancel.ender.clone();
    if let Some(callback) = on_progress {
        let listener = callback
            .build_threadsafe_function()
            .callee_handled::<false>()
            .weak::<true>()
            .build()?;
        run.listener = Some(listener);
    }
    let (deferred, promise) = env.create_deferred()?;
    let thread = move || {
        let answer = run.run();
        deferred.resolve(move |env| answer.cross(&env));
    };
    let started = Builder::new().name("logic".into()).stack_size(STACK_BYTES).spawn(thread);
    started.map_err(|error| thrown(env, &no_thread(&error)))?;
    Ok(promise)
}

/// Minimises a table while the calling thread waits.
#[napi(catch_unwind)]
pub fn minimize_sync(
    env: &Env,
    table: Either<String, Uint8Array>,
    options: NativeMinimizeOptions,
) -> napi::Result<NativeMinimized> {
    let run = Run::new(table, options);
    let started = Builder::new().name("logic".into()).stack_size(STACK_BYTES);
    let answer = std::thread::scope(|scope| {
        let running = started.spawn_scoped(scope, || run.run());
        let running = running.map_err(|error| no_thread(&error))?;
        running.join().map_err(|_| fault("a run ended without an answer"))?
    });
    answer.cross(env)
}

/// A question on its way to an answer.
struct Run {
    table: Vec<u8>,
    options: NativeMinimizeOptions,
    cancel: Option<Cancel>,
    ender: Ender,
    listener: Option<Listener>,
}

impl Run {
    fn new(table: Either<String, Uint8Array>, options: NativeMinimizeOptions) -> Self {
        let table = match table {
            Either::A(text) => text.into_bytes(),
            // Copied: JavaScript may write into its array while the run reads.
            Either::B(bytes) => bytes.to_vec(),
        };
        Self { table, options, cancel: None, ender: Ender::new(), listener: None }
    }

    /// The answer; a panic becomes an error.
    fn run(mut self) -> Result<NativeMinimized> {
        let run = AssertUnwindSafe(|| self.minimize());
        catch_unwind(run).unwrap_or_else(|_| Err(fault("the minimiser panicked")))
    }

    fn minimize(&mut self) -> Result<NativeMinimized> {
        let started = Instant::now();
        let write = self.options.write.clone();
        if self.table.len() > TABLE_BYTES_MAX {
            let (value, limit) = (self.table.len(), TABLE_BYTES_MAX);
            let message = format!("the table has {value} bytes, of {limit} at most; split it");
            return Err(Error::new(Code::Limit, message)
                .with("what", "bytes of a table")
                .with("value", value)
                .with("limit", limit));
        }
        let question = Pla::parse_only(&self.table).map_err(|error| unreadable(&error))?;
        if write == "fd" && question.kind.r && !question.kind.d {
            let message = "write \"fd\" needs don't-cares, and this table leaves them to follow from \
                           the others; use \"fr\" or \"fdr\"";
            return Err(argument("write", message.to_owned()).with("value", write));
        }
        let minimizer = self.minimizer(&question)?;
        let unanswered = |failure: PlaFailure| self.unanswered(failure);
        let sets = question.checked_sets(&minimizer).map_err(unanswered)?;
        let before = sets.f.cost();
        let solution = self.solution(&minimizer, sets)?;
        let text = written(&question, &solution, &write)?;
        let verified = Pla::parse_only(text.as_bytes()).is_ok_and(|read| read.on == solution.f);
        if !verified {
            return Err(fault("the text of the answer does not read as the answer"));
        }
        let rows = |cover: &Cover| Buffer::from(question.rows_text(cover).into_bytes());
        let layout = &question.layout;
        Ok(NativeMinimized {
            binary: number(layout.binaries() as u64),
            valued: layout.valued().into_iter().map(|size| number(size as u64)).collect(),
            outputs: number(layout.outputs() as u64),
            kind: question.kind.name().to_owned(),
            products_in: number(before.products as u64),
            products_out: number(solution.cost.products as u64),
            literals_in: before.into(),
            literals_out: solution.cost.into(),
            lower_bound: number(solution.lower_bound as u64),
            proved: solution.proved,
            stopped_early: solution.stopped_early,
            verified,
            f: rows(&solution.f),
            d: solution.d.as_ref().map(rows),
            r: solution.r.as_ref().map(rows),
            pla: text,
            seconds: started.elapsed().as_secs_f64(),
            input_names: question.input_names,
            value_names: question.value_names,
            output_names: question.output_names,
            notes: question.notes,
        })
    }

    /// The answer to a question that was read, worked out here or in a worker process.
    fn solution(&self, minimizer: &Minimizer, sets: Sets) -> Result<espresso::Solution> {
        let Sets { f, d, r, .. } = sets;
        let Some(isolation) = &self.options.isolated else {
            let answer = minimizer.minimize(&f, d.as_ref(), r.as_ref());
            return answer.map_err(|error| self.unanswered(error.into()));
        };
        let mut job = Job::new(f).mode(self.mode()?).threads(self.threads()?);
        job = job.limits(isolation.limits()?).ender(&self.ender);
        if let Some(d) = d {
            job = job.dont_cares(d);
        }
        if let Some(r) = r {
            job = job.off(r);
        }
        if let Some(limit) = self.time_limit()? {
            job = job.time_limit(limit);
        }
        if let Some(bytes) = self.memory_limit()? {
            job = job.memory_limit(bytes);
        }
        match isolation.pool().and_then(|pool| pool.minimize(&job)) {
            Ok(solution) => Ok(solution),
            Err(IsolateError::Engine(error)) => Err(self.unanswered(error.into())),
            Err(error) => Err(isolated::lost(&error)),
        }
    }

    fn mode(&self) -> Result<Mode> {
        match self.options.mode.as_str() {
            "fast" => Ok(Mode::Fast),
            "normal" => Ok(Mode::Normal),
            "strong" => Ok(Mode::Strong),
            "exact" => Ok(Mode::Exact),
            other => {
                let message = format!("mode {other:?} is none of fast, normal, strong, exact");
                Err(argument("mode", message))
            }
        }
    }

    fn threads(&self) -> Result<usize> {
        Ok(usize::try_from(small("threads", self.options.threads)?).unwrap_or(1))
    }

    fn time_limit(&self) -> Result<Option<Duration>> {
        let limit = self.options.time_limit_ms.map(|limit| whole("timeLimitMs", limit));
        Ok(limit.transpose()?.map(Duration::from_millis))
    }

    fn memory_limit(&self) -> Result<Option<usize>> {
        let limit = self.options.memory_limit_bytes.map(|limit| whole("memoryLimitBytes", limit));
        Ok(limit.transpose()?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)))
    }

    fn minimizer(&mut self, question: &Pla) -> Result<Minimizer> {
        let (mode, threads) = (self.mode()?, self.threads()?);
        let mut minimizer = Minimizer::new(&question.layout).mode(mode).threads(threads);
        if let Some(limit) = self.time_limit()? {
            minimizer = minimizer.time_limit(limit);
        }
        if let Some(bytes) = self.memory_limit()? {
            minimizer = minimizer.memory_limit(bytes);
        }
        if let Some(cancel) = &self.cancel {
            minimizer = minimizer.cancel(cancel);
        }
        if let Some(listener) = self.listener.take() {
            let listener = Mutex::new(listener);
            minimizer = minimizer.on_progress(move |progress| {
                let products = i64::try_from(progress.products).unwrap_or(i64::MAX);
                let args = (progress.phase.name().to_owned(), products);
                let listener = listener.lock().unwrap_or_else(|poison| poison.into_inner());
                listener.call(args.into(), ThreadsafeFunctionCallMode::NonBlocking);
            });
        }
        Ok(minimizer)
    }

    /// Why there is no answer, as an error of the kernel's table.
    fn unanswered(&self, failure: PlaFailure) -> Error {
        let error = match failure {
            PlaFailure::Pla(error) => return unreadable(&error),
            PlaFailure::Minimizer(error) => error,
            other => return fault(&other.to_string()),
        };
        match &error {
            espresso::Error::TimeLimit => {
                let limit = self.options.time_limit_ms.unwrap_or_default();
                let message = format!(
                    "{error} ({limit} ms); allow more time, or use mode \"fast\" on a table this large"
                );
                Error::new(Code::NoAnswer, message).with("what", "time").with("limit", limit)
            }
            espresso::Error::MemoryLimit { limit_bytes } => {
                let message = format!("{error}; allow more, or split the table by its outputs");
                let limit = number(*limit_bytes as u64);
                Error::new(Code::NoAnswer, message).with("what", "memory").with("limit", limit)
            }
            espresso::Error::Cancelled => {
                Error::new(Code::NoAnswer, "the run was cancelled").with("what", "signal")
            }
            espresso::Error::Contradiction { .. } => Error::new(Code::BadPla, error.to_string()),
            espresso::Error::BadLayout { .. }
            | espresso::Error::BadCube { .. }
            | espresso::Error::LayoutMismatch { .. } => argument("table", error.to_string()),
            other => fault(&other.to_string()),
        }
    }
}

/// The answer as text, with the sets that were asked for.
fn written(question: &Pla, solution: &espresso::Solution, write: &str) -> Result<String> {
    let (f, d, r) = (&solution.f, solution.d.as_ref(), solution.r.as_ref());
    let missing = || {
        let message = "the OFF rows are too many to be listed; write \"f\", \"fd\" or \"fdr\"";
        Error::new(Code::NoAnswer, message).with("what", "offRows")
    };
    match write {
        "f" => Ok(question.text(f, None, None)),
        "fd" => Ok(question.text(f, d, None)),
        "fr" => r.map(|r| question.text(f, None, Some(r))).ok_or_else(missing),
        // Whatever is not listed follows from the rest.
        "fdr" => Ok(question.text(f, d, r)),
        other => {
            let message = format!("write {other:?} is none of f, fd, fr, fdr");
            Err(argument("write", message))
        }
    }
}

fn unreadable(error: &espresso::PlaError) -> Error {
    let fault = Error::new(Code::BadPla, error.to_string())
        .with("line", error.line)
        .with("column", error.column);
    match error.problem {
        PlaProblem::Contradiction { other_line } => fault.with("otherLine", other_line),
        _ => fault,
    }
}

fn fault(text: &str) -> Error {
    Error::new(Code::Panic, format!("the minimiser is at fault: {text}")).with("cause", text)
}

fn no_thread(error: &std::io::Error) -> Error {
    let message = format!("cannot start a thread to minimise on: {error}");
    Error::new(Code::Io, message)
        .with("operation", "thread")
        .with("cause", error.kind().to_string())
        .with("osCode", error.raw_os_error())
}

impl From<Cost> for NativeLiterals {
    fn from(cost: Cost) -> Self {
        Self {
            inputs: number(cost.inputs as u64),
            valued: number(cost.valued as u64),
            outputs: number(cost.outputs as u64),
        }
    }
}
