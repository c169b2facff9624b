//! A child process and what it cost: processor time and peak memory, as the system counts them.
//!
//! A process begins with the peak memory of the one that started it, so a large program cannot read
//! off what a small one took. Each run is therefore started by a process of its own, this program
//! again as `weigh`, which holds next to nothing, sets the limit, waits, and tells what it saw.

use std::ffi::c_int;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Outcome;

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
pub fn run(command: &Command, limit_s: u64) -> Outcome<Run> {
    let mut weighed = Command::new(std::env::current_exe()?);
    weighed.arg("weigh").arg(limit_s.to_string());
    weighed.arg(command.get_program()).args(command.get_args());
    let mut child = weighed.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut output, mut told) = (String::new(), String::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut output)?;
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut told)?;
    }
    child.wait()?;
    let words: Vec<&str> = told.split_whitespace().collect();
    let &[microseconds, kib, ended] = words.as_slice() else {
        return Err(format!("the run was not weighed: {told}").into());
    };
    Ok(Run {
        processor: Duration::from_micros(microseconds.parse()?),
        peak_kib: kib.parse()?,
        output,
        finished: ended == "finished",
    })
}

/// The process between: runs the command with the limit, and says on standard error what it cost.
pub fn weigh(limit_s: &str, command: &[&str]) -> Outcome<()> {
    let seconds = limit_s.parse()?;
    let limit = libc::rlimit { rlim_cur: seconds, rlim_max: seconds };
    // SAFETY: the pointer is to a live variable of the right type.
    if unsafe { libc::setrlimit(libc::RLIMIT_CPU, &limit) } != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    let [program, arguments @ ..] = command else { return Err("there is no command".into()) };
    let child = Command::new(program).args(arguments).stderr(Stdio::null()).spawn()?;
    let mut status: c_int = 0;
    // SAFETY: rusage is plain numbers, for which all bits zero are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let id = libc::pid_t::try_from(child.id()).map_err(std::io::Error::other)?;
    // SAFETY: `id` is our own child, not yet waited for; both pointers are to live variables.
    if unsafe { libc::wait4(id, &mut status, 0, &mut usage) } != id {
        return Err(std::io::Error::last_os_error().into());
    }
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec.unsigned_abs())
            + Duration::from_micros(t.tv_usec.unsigned_abs())
    };
    let processor = time(usage.ru_utime) + time(usage.ru_stime);
    let finished = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
    let ended = if finished { "finished" } else { "ended" };
    eprintln!("{} {} {ended}", processor.as_micros(), usage.ru_maxrss);
    Ok(())
}

/// Processor time of this thread so far.
pub fn thread_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live variable of the right type.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    assert_eq!(result, 0, "a thread can always read its own clock");
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Memory of this process.
pub struct Memory {
    /// Bytes that the allocator has given out and not got back.
    pub live_bytes: u64,
    pub resident_kib: u64,
}

/// What this process holds now.
pub fn memory() -> Memory {
    // SAFETY: the call has no precondition; it returns plain numbers.
    let heap = unsafe { libc::mallinfo2() };
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let resident = line.split_whitespace().next().and_then(|word| word.parse().ok());
    Memory { live_bytes: (heap.uordblks + heap.hblkhd) as u64, resident_kib: resident.unwrap_or(0) }
}
