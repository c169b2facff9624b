//! One worker process, seen from the pool: started, asked, ended.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pos_kernel_espresso::Solution;

use crate::ender::Ender;
use crate::error::{Ending, IsolateError};
use crate::job::{self, Job};
use crate::link::{Body, Fault, Link, Stream};
use crate::message::{Header, Kind, VERSION, text_of_words};
use crate::worker::{WORKER_VARIABLE, refusal_of};

/// The name of the worker program, without the `.exe` of Windows.
pub const PROGRAM: &str = "pos-kernel-minimizer";

/// The signal of a CPU limit, and that of an abort, on every Unix.
const SIGNAL_CPU: i32 = 24;
const SIGNAL_ABORT: i32 = 6;

/// The program that becomes a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its path; a worker is started by no shell and no search.
    pub path: PathBuf,
    /// Arguments before which it is no worker yet, such as the script that a Node process runs.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// A program by its path.
    pub fn at(path: impl Into<PathBuf>) -> Program {
        Program { path: path.into(), arguments: Vec::new() }
    }

    /// The worker program in a folder, such as that of the library that uses it.
    pub fn in_folder(folder: &Path) -> Program {
        Program::at(folder.join(format!("{PROGRAM}{}", env::consts::EXE_SUFFIX)))
    }

    /// The worker program beside the program that runs.
    ///
    /// # Errors
    /// [`IsolateError::NotFound`] when nobody knows where that is.
    pub fn beside() -> Result<Program, IsolateError> {
        let missing = |_| IsolateError::NotFound { path: PROGRAM.into(), program: PROGRAM };
        let own = env::current_exe().map_err(missing)?;
        Ok(Program::in_folder(own.parent().unwrap_or(Path::new("."))))
    }
}

/// How messages reach a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket, and a file in memory for what is long.
    Shared,
    /// Two pipes for everything: slower for long messages, and there on every system.
    Pipes,
}

impl Default for Transport {
    /// Shared where the system has it.
    fn default() -> Transport {
        if cfg!(unix) { Transport::Shared } else { Transport::Pipes }
    }
}

pub(crate) struct Worker {
    child: Arc<Mutex<Child>>,
    link: Link,
    path: PathBuf,
    start_timeout: Duration,
    has_deadlines: bool,
    is_greeted: bool,
    pub(crate) pid: u32,
    /// Jobs that it has done.
    pub(crate) jobs: u64,
}

impl Worker {
    /// Starts a worker and does not wait for it.
    pub(crate) fn start(
        program: &Program,
        transport: Transport,
        start_timeout: Duration,
    ) -> Result<Worker, IsolateError> {
        let Program { path, arguments } = program;
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                IsolateError::NotFound { path: path.clone(), program: PROGRAM }
            } else {
                IsolateError::Spawn { path: path.clone(), reason: error.to_string() }
            }
        };
        let mut command = Command::new(path);
        command.args(arguments).stderr(Stdio::null());
        let (child, link) = match transport {
            Transport::Shared => start_shared(command),
            Transport::Pipes => start_piped(command),
        }
        .map_err(failed)?;
        Ok(Worker {
            pid: child.id(),
            child: Arc::new(Mutex::new(child)),
            link,
            path: path.clone(),
            start_timeout,
            has_deadlines: transport == Transport::Shared,
            is_greeted: false,
            jobs: 0,
        })
    }

    /// Waits until it has said that it is a worker of this version.
    pub(crate) fn greet(&mut self) -> Result<(), IsolateError> {
        if self.is_greeted {
            return Ok(());
        }
        // Counted from here: one that was started to replace another may have stood for long.
        let until = deadline(self.start_timeout);
        let said = self.within(until, |link| {
            let (header, mut body) = link.receive(Some(until))?;
            let [version] = body.array()?;
            body.finish()?;
            if header.kind != Kind::Hello || version != u64::from(VERSION) {
                return Err(Fault::Malformed("it is of another version"));
            }
            Ok(())
        });
        let reason = match said {
            Ok(()) => {
                self.is_greeted = true;
                return Ok(());
            }
            Err(Fault::TimedOut) => "it said nothing in its time".to_owned(),
            Err(Fault::Closed) => format!("it ended with {} and said nothing", self.end()),
            Err(Fault::Malformed(reason)) => reason.to_owned(),
            Err(Fault::Io(error)) => error.to_string(),
        };
        Err(IsolateError::NotAWorker { path: self.path.clone(), reason })
    }

    /// Has it do a job. After an error that is not the minimiser's own refusal it is of no more use.
    pub(crate) fn run(&mut self, job: &Job, head: &[u64]) -> Result<Solution, IsolateError> {
        self.greet()?;
        self.jobs += 1;
        let number = self.jobs;
        let until = deadline(job.limits.wall);
        let [f, d, r] = job.covers();
        if job.ender.as_ref().is_some_and(|ender| !ender.attach(&self.child)) {
            return Err(IsolateError::Ended);
        }
        let answered = self.within(until, |link| {
            link.send(Kind::Job, number, &[head, f, d, r], Some(until))?;
            let (header, mut body) = link.receive(Some(until))?;
            if header.number != number {
                return Err(Fault::Malformed("it answers another job"));
            }
            let answer = match header.kind {
                Kind::Answer => Ok(job::read_answer(job.layout(), body)?),
                Kind::Refused => {
                    let words = body.array()?;
                    body.finish()?;
                    Err(IsolateError::Engine(refusal_of(words)?))
                }
                Kind::Panicked => {
                    let message = text_of_words(&rest(header, body)?);
                    Err(IsolateError::Panicked { message })
                }
                _ => return Err(Fault::Malformed("its kind is not one of an answer")),
            };
            link.release();
            Ok(answer)
        });
        if job.ender.as_ref().is_some_and(Ender::detach) {
            return Err(IsolateError::Ended);
        }
        answered.unwrap_or_else(|fault| Err(self.lost(fault, job)))
    }

    /// Sends words and gets them back.
    pub(crate) fn echo(&mut self, words: &[u64], wall: Duration) -> Result<Vec<u64>, IsolateError> {
        self.greet()?;
        self.jobs += 1;
        let number = self.jobs;
        let until = deadline(wall);
        let echoed = self.within(until, |link| {
            link.send(Kind::Echo, number, &[words], Some(until))?;
            let (header, body) = link.receive(Some(until))?;
            if (header.kind, header.number) != (Kind::Echo, number) {
                return Err(Fault::Malformed("it is no echo"));
            }
            let words = rest(header, body)?;
            link.release();
            Ok(words)
        });
        echoed.map_err(|fault| match fault {
            Fault::TimedOut => IsolateError::WallLimit { limit: wall },
            Fault::Closed => IsolateError::Died { ending: self.end() },
            Fault::Io(error) => IsolateError::Protocol { reason: error.to_string() },
            Fault::Malformed(reason) => IsolateError::Protocol { reason: reason.to_owned() },
        })
    }

    /// What a fault in the middle of a job means.
    fn lost(&self, fault: Fault, job: &Job) -> IsolateError {
        let limits = &job.limits;
        match fault {
            Fault::TimedOut => IsolateError::WallLimit { limit: limits.wall },
            Fault::Io(error) => IsolateError::Protocol { reason: error.to_string() },
            Fault::Malformed(reason) => IsolateError::Protocol { reason: reason.to_owned() },
            Fault::Closed => {
                let ending = self.end();
                match (ending.signal, limits.cpu, limits.memory_bytes) {
                    (Some(SIGNAL_CPU), Some(limit), _) => IsolateError::CpuLimit { limit },
                    (Some(SIGNAL_ABORT), _, Some(limit_bytes)) => {
                        IsolateError::MemoryLimit { limit_bytes }
                    }
                    _ => IsolateError::Died { ending },
                }
            }
        }
    }

    /// Runs an exchange that ends by a deadline. Where the stream knows none, the worker is killed when
    /// the deadline passes, which frees whoever waits for it.
    fn within<T>(
        &mut self,
        until: Instant,
        exchange: impl FnOnce(&mut Link) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.has_deadlines {
            return exchange(&mut self.link);
        }
        let (child, link) = (&self.child, &mut self.link);
        let done = (Mutex::new(false), Condvar::new());
        std::thread::scope(|scope| {
            let guard = scope.spawn(|| {
                let (is_done, told) = &done;
                let mut is_done = is_done.lock().unwrap_or_else(PoisonError::into_inner);
                while !*is_done {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
                        // One that has ended already cannot be killed, and need not be.
                        let _ = child.kill();
                        return true;
                    }
                    is_done = told
                        .wait_timeout(is_done, left)
                        .map_or_else(|poison| poison.into_inner().0, |(guard, _)| guard);
                }
                false
            });
            let result = exchange(link);
            *done.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            done.1.notify_one();
            let was_killed = guard.join().unwrap_or(false);
            if was_killed && result.is_err() { Err(Fault::TimedOut) } else { result }
        })
    }

    /// Whether it has ended while nobody asked it anything.
    pub(crate) fn is_gone(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(child.try_wait(), Ok(None))
    }

    /// Ends it, if it has not ended by itself, and tells how it ended.
    fn end(&self) -> Ending {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // The way to it is closed, so that it is ending; one that hangs in that is killed.
        let unknown = Ending { code: None, signal: None };
        for _ in 0..ENDING_LOOKS {
            match child.try_wait() {
                Ok(Some(status)) => return status.into(),
                Ok(None) => std::thread::sleep(ENDING_PAUSE),
                Err(_) => return unknown,
            }
        }
        let _ = child.kill();
        child.wait().map_or(unknown, Ending::from)
    }
}

/// A process whose way is closed has ended within this many looks, or is killed.
const ENDING_LOOKS: usize = 200;
const ENDING_PAUSE: Duration = Duration::from_millis(1);

impl Drop for Worker {
    /// A worker keeps nothing that would be lost, so it is killed, and its process is taken off the
    /// system's list.
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Both fail when it has ended and was waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn rest(header: Header, mut body: Body<'_>) -> Result<Vec<u64>, Fault> {
    let words = body.take(header.words)?;
    body.finish()?;
    Ok(words)
}

/// A moment that far from now; a time that no clock holds is a century.
pub(crate) fn deadline(time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    let now = Instant::now();
    now.checked_add(time.min(CENTURY)).unwrap_or(now)
}

#[cfg(unix)]
fn start_shared(mut command: Command) -> io::Result<(Child, Link)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (ours, theirs) = UnixStream::pair()?;
    let file = file_in_memory()?;
    command
        .env(WORKER_VARIABLE, "shared")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(file.try_clone()?));
    let child = command.spawn()?;
    Ok((child, Link::new(Stream::Socket(ours), Some(file))))
}

#[cfg(not(unix))]
fn start_shared(command: Command) -> io::Result<(Child, Link)> {
    start_piped(command)
}

fn start_piped(mut command: Command) -> io::Result<(Child, Link)> {
    command.env(WORKER_VARIABLE, "pipes").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    Ok((child, Link::new(Stream::Pipes(Box::new(output), Box::new(input)), None)))
}

/// A file that has no name and no disk.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn file_in_memory() -> io::Result<std::fs::File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(std::fs::File::from(memfd_create("pos-kernel-isolate", MemfdFlags::CLOEXEC)?))
}

/// A file that has no name: it lies in the page cache for as long as somebody holds it.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android", target_os = "freebsd"))))]
fn file_in_memory() -> io::Result<std::fs::File> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let number = RandomState::new().build_hasher().finish();
    let path = env::temp_dir().join(format!("pos-kernel-isolate-{number:016x}"));
    let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
