//! A child process and what it cost: processor time and peak memory, as the system counts them.

use std::ffi::c_int;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What one run cost and gave.
pub struct Run {
    /// User and system time of the whole process.
    pub processor: Duration,
    /// Largest resident set.
    pub peak_kib: u64,
    pub output: String,
    /// Whether it ended by itself with success.
    pub finished: bool,
}

/// Runs a command to its end, or until it has used `limit_s` seconds of processor time.
pub fn run(command: &mut Command, limit_s: u64) -> std::io::Result<Run> {
    // The shell sets the limit and becomes the program, so that the limit is the program's own.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -t \"$0\"; exec \"$@\"", &limit_s.to_string()]);
    limited.arg(command.get_program()).args(command.get_args());
    let mut child = limited.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut output = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut output)?;
    }
    let mut status: c_int = 0;
    // SAFETY: rusage is plain numbers, for which all bits zero are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let id = libc::pid_t::try_from(child.id()).map_err(std::io::Error::other)?;
    // SAFETY: `id` is our own child, not yet waited for; both pointers are to live variables.
    let waited = unsafe { libc::wait4(id, &mut status, 0, &mut usage) };
    if waited != id {
        return Err(std::io::Error::last_os_error());
    }
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec.unsigned_abs())
            + Duration::from_micros(t.tv_usec.unsigned_abs())
    };
    Ok(Run {
        processor: time(usage.ru_utime) + time(usage.ru_stime),
        peak_kib: usage.ru_maxrss.unsigned_abs(),
        output,
        finished: libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
    })
}

/// Processor time of this thread so far.
pub fn thread_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live variable of the right type.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    assert_eq!(result, 0, "a thread can always read its own clock");
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
