//! The calls of the system that no safe crate offers: `fork`, descriptors at a given number, signals as a
//! descriptor, how a child ended with what it used, the processor time of another process. Everything `unsafe` of
//! this crate is here; each function is safe to call.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Which of the two processes this is.
pub(crate) enum Forked {
    /// The launcher; the number is the child's.
    Parent(i32),
    /// The app to be.
    Child,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its number.
    pub(crate) pid: i32,
    /// Exit code, where it exited.
    pub(crate) code: Option<i32>,
    /// Signal, where one ended it.
    pub(crate) signal: Option<i32>,
    /// Most resident bytes of it or of one of its children that it waited for.
    pub(crate) max_rss_bytes: u64,
    /// Microseconds of processor of it and of the children that it waited for.
    pub(crate) cpu_micros: u64,
}

/// Makes a second process.
///
/// # Errors
///
/// `EAGAIN` and `ENOMEM` as `fork`; refused when this process has threads.
pub(crate) fn fork() -> io::Result<Forked> {
    let threads = fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("the launcher has {threads} threads, not 1")));
    }
    // SAFETY: this process has one thread, so no lock is held by a thread that the child would not have; the
    // child may allocate and use the standard library.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Puts a descriptor at a number, where a program that is started by `exec` will find it.
pub(crate) fn place(fd: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        // `dup2` to itself would leave the close-on-exec flag as it is.
        // SAFETY: changes the flags of a descriptor that the caller holds.
        let done = unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
        return if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) };
    }
    // SAFETY: both are numbers; what was at `number` is closed, and only the child, which is about to become
    // another program, calls this.
    match unsafe { libc::dup2(fd.as_raw_fd(), number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// A copy of a descriptor at 10 or above, out of the way of the numbers that [`place`] fills.
pub(crate) fn lift(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: makes a new descriptor of one that the caller holds.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 10) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the number was made just now and belongs to nobody else.
        number => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
    }
}

/// Ends this process at once: nothing is flushed, no destructor runs. For the child that could not become the app.
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: does not return and touches nothing of this process.
    unsafe { libc::_exit(code) }
}

/// Takes signals as a descriptor that can be read, instead of at any instruction. Children that only stop are
/// no signal.
pub(crate) fn signals(numbers: &[i32]) -> io::Result<OwnedFd> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: both structs are plain data for which zero is a value; the calls only read and fill them, and the
    // handler is the default one.
    unsafe {
        (*action.as_mut_ptr()).sa_sigaction = libc::SIG_DFL;
        (*action.as_mut_ptr()).sa_flags = libc::SA_NOCLDSTOP;
        if libc::sigaction(libc::SIGCHLD, action.as_ptr(), std::ptr::null_mut()) == -1 {
            return Err(io::Error::last_os_error());
        }
        libc::sigemptyset(set.as_mut_ptr());
        for number in numbers {
            libc::sigaddset(set.as_mut_ptr(), *number);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) == -1 {
            return Err(io::Error::last_os_error());
        }
        match libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// Every signal at its default and none blocked, as a program expects to begin.
pub(crate) fn unblock_signals() -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: fills and reads one plain struct; the default handlers run no code of this process.
    unsafe {
        for number in 1..=libc::SIGRTMAX() {
            libc::signal(number, libc::SIG_DFL);
        }
        libc::sigemptyset(set.as_mut_ptr());
        match libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// Takes the next child that has ended, if there is one; `ECHILD` when there is no child at all.
pub(crate) fn reap() -> io::Result<Option<Ended>> {
    let mut status = 0;
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both out-parameters are ours; `rusage` is plain data.
    let (pid, used) = unsafe {
        let pid = libc::wait4(-1, &raw mut status, libc::WNOHANG, used.as_mut_ptr());
        (pid, used.assume_init())
    };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(Ended {
            pid,
            code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
            signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
            max_rss_bytes: u64::try_from(used.ru_maxrss).unwrap_or(0) * 1024,
            cpu_micros: micros(used.ru_utime) + micros(used.ru_stime),
        })),
    }
}

fn micros(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000 + u64::try_from(time.tv_usec).unwrap_or(0)
}

/// Nanoseconds of processor that all threads of a process have used, to the nanosecond; the stat file counts in
/// hundredths of a second. `None` when there is no such process.
pub(crate) fn cpu_nanos(pid: i32) -> Option<u64> {
    let mut clock = 0;
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: both out-parameters are ours and plain data.
    let time = unsafe {
        if libc::clock_getcpuclockid(pid, &raw mut clock) != 0 {
            return None;
        }
        if libc::clock_gettime(clock, time.as_mut_ptr()) != 0 {
            return None;
        }
        time.assume_init()
    };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).ok()?)
}

/// Clock ticks of the stat files in a second.
#[cfg(test)]
pub(crate) fn ticks_per_second() -> i64 {
    // SAFETY: asks for a constant.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) }
}
