//! What the launcher says and writes: one JSON line a fact on its standard output, and in the folder of the run
//! `exit.json` and `last.log`, the end of what this run printed.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, mknodat, openat, renameat, unlinkat};
use serde::Serialize;

use crate::order::Fault;
use crate::os::Ended;

/// Says a line. That nobody listens any more is no fault: the supervisor may be gone.
pub(crate) fn say(value: &serde_json::Value) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{value}");
    let _ = out.flush();
}

/// Who ended the app, where that was the launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EndedBy {
    /// It held more memory than was ordered.
    PollLimit,
    /// The supervisor said so.
    Asked,
    /// There was no supervisor for the time that it may go on without one.
    Orphan,
}

/// What the kernel ended for want of memory while the app ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutOfMemory {
    /// Nothing that could be the app's.
    Not,
    /// Some of the app's groups.
    Killed,
    /// Some of the machine, the app being in no group that counts: it, or another.
    Nearby,
}

/// How the app ended; `ts/host/launcher/exit.ts` reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExitRecord {
    code: Option<i32>,
    signal: Option<String>,
    ended_by: Option<EndedBy>,
    oom_killed: bool,
    oom_nearby: bool,
    max_rss_bytes: u64,
    cpu_ms: u64,
    at: u64,
}

impl ExitRecord {
    /// The record of an end that was seen now.
    pub(crate) fn new(ended: Ended, ended_by: Option<EndedBy>, oom: OutOfMemory) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self {
            code: ended.code,
            signal: ended.signal.map(signal_name),
            ended_by,
            oom_killed: oom == OutOfMemory::Killed,
            oom_nearby: oom == OutOfMemory::Nearby,
            max_rss_bytes: ended.max_rss_bytes,
            cpu_ms: ended.cpu_micros / 1000,
            at: u64::try_from(at).unwrap_or(0),
        }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Name of the pipe in the folder of a run.
const ORDERS: &str = "orders";

/// The folder of a run, held open. The host alone can write in it.
#[derive(Debug)]
pub(crate) struct RunFolder(File);

impl RunFolder {
    /// Opens it.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let at = || Fault::at("run-folder", path.display());
        let fd = openat(rustix::fs::CWD, path, flags, Mode::empty()).map_err(|e| at()(e.into()))?;
        Ok(Self(File::from(fd)))
    }

    /// Makes the pipe on which later supervisors speak.
    pub(crate) fn make_orders(&self) -> io::Result<()> {
        let _ = unlinkat(&self.0, ORDERS, AtFlags::empty());
        Ok(mknodat(&self.0, ORDERS, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?)
    }

    /// Opens that pipe to read from.
    pub(crate) fn open_orders(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, ORDERS, flags, Mode::empty())?)
    }

    /// Puts the end of what the run printed there, then `exit.json`: whoever sees that has the other.
    pub(crate) fn write_end(&self, record: &ExitRecord, last_words: &[u8]) -> io::Result<()> {
        // A disk that refuses the words may still take the record.
        let _ = self.write("last.log", last_words);
        self.write("exit.json", format!("{}\n", record.to_json()).as_bytes())
    }

    /// Puts a file there, whole: a reader sees all of it or none.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = format!("{name}.new");
        let _ = unlinkat(&self.0, &draft, AtFlags::empty());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.0, &draft, flags, Mode::from_raw_mode(0o600))?;
        File::from(fd).write_all(bytes)?;
        renameat(&self.0, &draft, &self.0, name)?;
        Ok(())
    }
}

/// `9` -> `SIGKILL`. Real-time signals are `SIG34` and so on.
fn signal_name(number: i32) -> String {
    let names = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGSTKFLT, "SIGSTKFLT"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGVTALRM, "SIGVTALRM"),
        (libc::SIGPROF, "SIGPROF"),
        (libc::SIGIO, "SIGIO"),
        (libc::SIGPWR, "SIGPWR"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    let found = names.iter().find(|(known, _)| *known == number);
    found.map_or_else(|| format!("SIG{number}"), |(_, name)| (*name).to_owned())
}
