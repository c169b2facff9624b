//! The worker: takes jobs from its stdin until that closes.
//!
//! It runs in a thread with a deep stack, because recursions go as deep as a function has variables. A
//! second thread waits for the end of the pool's process, so that no worker outlives it in a long run.

use std::env;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;

use pos_kernel_espresso::{Cover, Error};

use crate::job::{self, Job};
use crate::limits::Enforcer;
use crate::link::{Fault, Link, Stream};
use crate::message::{INLINE_WORDS_MAX, Kind, VERSION, words_of_text};

/// The environment variable by which a pool tells a program that it is a worker: `shared` or `pipes`.
pub const WORKER_VARIABLE: &str = "POS_KERNEL_WORKER";

/// Exit code of a worker whose pool is gone.
const POOL_GONE: u8 = 0;
/// Exit code of a program that no pool has started.
const NOT_A_WORKER: u8 = 2;
/// Exit code of a worker that was sent something it cannot read.
const BAD_MESSAGE: u8 = 3;

/// Stack of the thread that minimises; pages that are not touched cost nothing.
const STACK_BYTES: usize = 256 << 20;

/// Works for the pool that has started this process, until the pool closes the way to it; the exit
/// code of the process. Call it first thing in a program that a [`crate::Program`] names: the small
/// program of this crate does nothing else, and a host that ships no second program can call it from
/// its own. What the process writes to its standard output from now on goes to its standard error.
pub fn worker_main() -> u8 {
    let link = match env::var(WORKER_VARIABLE).ok().as_deref().and_then(link) {
        Some(Ok(link)) => link,
        Some(Err(error)) => {
            eprintln!("the way to the pool cannot be opened: {error}");
            return NOT_A_WORKER;
        }
        None => {
            eprintln!("this program is a worker of the logic minimiser and is started by its pool");
            return NOT_A_WORKER;
        }
    };
    let thread = Builder::new().stack_size(STACK_BYTES).spawn(|| work(link));
    match thread.map(|thread| thread.join()) {
        Ok(Ok(Fault::Closed)) => POOL_GONE,
        _ => BAD_MESSAGE,
    }
}

/// The way to the pool, if the variable has one of its values.
fn link(transport: &str) -> Option<io::Result<Link>> {
    match transport {
        #[cfg(unix)]
        "shared" => Some(shared()),
        "pipes" => {
            let stream = Stream::Pipes(Box::new(io::stdin()), Box::new(io::stdout()));
            Some(Ok(Link::new(stream, None)))
        }
        _ => None,
    }
}

/// The socket that is stdin, and the file in memory that is stdout.
#[cfg(unix)]
fn shared() -> io::Result<Link> {
    use std::fs::File;
    use std::os::fd::AsFd;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let file = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    watch(socket.try_clone()?)?;
    Ok(Link::new(Stream::Socket(socket.into()), Some(File::from(file))))
}

/// Ends this process when the other end of the socket is gone.
#[cfg(unix)]
fn watch(socket: std::os::fd::OwnedFd) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    let wait = move || {
        loop {
            let mut watched = [PollFd::new(&socket, PollFlags::empty())];
            let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
            if poll(&mut watched, None).is_ok() && watched[0].revents().intersects(gone) {
                std::process::exit(POOL_GONE.into());
            }
        }
    };
    Builder::new().stack_size(64 << 10).spawn(wait)?;
    Ok(())
}

/// Serves until the way breaks; says how.
fn work(mut link: Link) -> Fault {
    let mut enforcer = Enforcer::new();
    if let Err(fault) = link.send(Kind::Hello, 0, &[&[VERSION.into()]], None) {
        return fault;
    }
    loop {
        if let Err(fault) = serve(&mut link, &mut enforcer) {
            return fault;
        }
    }
}

fn serve(link: &mut Link, enforcer: &mut Enforcer) -> Result<(), Fault> {
    let (header, mut body) = link.receive(None)?;
    if header.words > INLINE_WORDS_MAX as u64 {
        // A long question is no part of what the job before it might take.
        enforcer.lift_memory()?;
    }
    match header.kind {
        Kind::Echo => {
            let words = body.take(body.left())?;
            body.finish()?;
            link.send(Kind::Echo, header.number, &[&words], None)
        }
        Kind::Job => {
            let job = Job::read(body)?;
            enforcer.apply(&job.limits)?;
            match catch_unwind(AssertUnwindSafe(|| job.run())) {
                Ok(Ok(solution)) => {
                    let head = job::answer_head(&solution);
                    let d = solution.d.as_ref().map_or(&[][..], Cover::words);
                    let r = solution.r.as_ref().map_or(&[][..], Cover::words);
                    let parts = [&head[..], solution.f.words(), d, r];
                    link.send(Kind::Answer, header.number, &parts, None)
                }
                Ok(Err(error)) => {
                    link.send(Kind::Refused, header.number, &[&refusal(&error)], None)
                }
                Err(panic) => {
                    let text = panic
                        .downcast_ref::<&str>()
                        .map(|text| (*text).to_owned())
                        .or_else(|| panic.downcast_ref::<String>().cloned())
                        .unwrap_or_default();
                    link.send(Kind::Panicked, header.number, &[&words_of_text(&text)], None)
                }
            }
        }
        _ => Err(Fault::Malformed("its kind is not one of a question")),
    }
}

/// A refusal of the minimiser as words: which, and its numbers.
fn refusal(error: &Error) -> [u64; 3] {
    match *error {
        Error::Contradiction { on, off } => [1, on as u64, off as u64],
        Error::TimeLimit => [2, 0, 0],
        Error::MemoryLimit { limit_bytes } => [3, limit_bytes as u64, 0],
        Error::Cancelled => [4, 0, 0],
        // The pool has checked what the others are about.
        _ => [5, 0, 0],
    }
}

/// The refusal of such words.
pub(crate) fn refusal_of(words: [u64; 3]) -> Result<Error, Fault> {
    let number = |word| usize::try_from(word).unwrap_or(usize::MAX);
    match words {
        [1, on, off] => Ok(Error::Contradiction { on: number(on), off: number(off) }),
        [2, ..] => Ok(Error::TimeLimit),
        [3, limit, _] => Ok(Error::MemoryLimit { limit_bytes: number(limit) }),
        [4, ..] => Ok(Error::Cancelled),
        [5, ..] => Ok(Error::NotEquivalent { reason: "a worker has refused it" }),
        _ => Err(Fault::Malformed("its refusal is not known")),
    }
}
