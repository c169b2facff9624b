//! The life of the launcher: reads its order, makes the app, and stays until it is gone.
//!
//! One thread, one loop over `poll`: signals as a descriptor, the app's output, further lines of the supervisor, the
//! DevTools pump, and the time at which CPU or memory is to be looked at again.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Signal, getpid, set_child_subreaper};

use crate::child::{self, Ends};
use crate::devtools::{POLLED, Pump};
use crate::group::{self, Group};
use crate::log::Log;
use crate::memory;
use crate::order::{Fault, Order};
use crate::orders::Orders;
use crate::orphan::{Clock, Verdict};
use crate::os::{self, Ended, Forked};
use crate::pace::Pace;
use crate::record::{EndedBy, ExitRecord, OutOfMemory, RunFolder, say};
use crate::tree::{self, Identity};

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks of output that are taken in one turn, so that a flood does not starve the rest.
const CHUNKS_MAX: usize = 16;

/// Reads the order, runs the app, returns when it is gone and its end is written down.
///
/// # Errors
///
/// What hindered it; then nothing runs.
pub(crate) fn launch() -> Result<(), Fault> {
    let mut orders = Orders::new();
    let line = orders.first()?;
    let order = Order::parse(&line)?;
    let run_folder = std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_default();
    let folder = RunFolder::open(&run_folder)?;
    orders
        .open_later(RunFolder::open(&run_folder)?)
        .map_err(Fault::at("run-folder", run_folder.display()))?;
    let log_at = || Fault::at("log", order.out_log.path.display());
    let log = Log::open(&order.out_log.path, order.out_log.bytes_max).map_err(log_at())?;
    let groups: Vec<_> = order.confinement.groups.iter().map(|procs| Group::of(procs)).collect();
    let oom_kills = OomKills::now(&groups);

    set_child_subreaper(Some(getpid())).map_err(at("parent", "subreaper"))?;
    let numbers = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1];
    let signals = os::signals(&numbers).map_err(Fault::at("signals", "signalfd"))?;
    let (output, output_end) = pipe("output")?;
    let (report, report_end) = pipe("report")?;
    let three = order.bootstrap.as_deref().map(bootstrap).transpose()?;
    let (pump, three, four) = match &order.devtools {
        None => (None, three, None),
        Some(devtools) => {
            let (three, to) = pipe("devtools")?;
            let (from, four) = pipe("devtools")?;
            let pump = Pump::open(&devtools.socket, to, from)
                .map_err(Fault::at("devtools", devtools.socket.display()))?;
            (Some(pump), Some(three), Some(four))
        }
    };

    let launcher = getpid();
    let app = match os::fork().map_err(Fault::at("fork", "fork"))? {
        Forked::Child => {
            let ends = Ends {
                output: output_end.as_fd(),
                three: three.as_ref().map(AsFd::as_fd),
                four: four.as_ref().map(AsFd::as_fd),
                report: File::from(report_end),
            };
            child::become_app(&order, ends, launcher)
        }
        Forked::Parent(pid) => pid,
    };
    // Else the ends of the pipes would never be seen.
    drop((output_end, report_end, three, four));
    let held = match child::outcome(File::from(report)) {
        Ok(held) => held,
        Err(fault) => {
            tree::send(app, Signal::KILL);
            tree::end_all(&[], |_| {});
            return Err(fault);
        }
    };
    let Some(Identity { pid, start_time, boot_id }) = Identity::of(app) else {
        tree::end_all(&groups, |_| {});
        return Err(Fault::refused("parent", "/proc does not show the app"));
    };
    say(&serde_json::json!({
        "pid": pid, "startTime": start_time, "bootId": boot_id,
        "launcher": launcher.as_raw_nonzero().get(), "held": held,
    }));

    rustix::io::ioctl_fionbio(&output, true).map_err(at("output", "non-blocking"))?;
    let now = Instant::now();
    let confinement = &order.confinement;
    let stay = Stay {
        app,
        groups,
        output: Some(output),
        log,
        signals,
        orders,
        pump,
        pace: confinement.cpu_ppm.map(|share| (Pace::new(app, share, now), now)),
        memory: confinement.poll_bytes.map(|limit| (limit, now)),
        orphan: order.orphan.map(Clock::new),
        ended: None,
        ended_by: None,
        rest_micros: 0,
    };
    let record = stay.until_gone(oom_kills, &folder);
    say(&record.to_json());
    Ok(())
}

fn at(step: &'static str, what: &'static str) -> impl FnOnce(Errno) -> Fault {
    move |errno| Fault::at(step, what)(errno.into())
}

fn pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), Fault> {
    pipe_with(PipeFlags::CLOEXEC).map_err(at("descriptors", what))
}

/// A pipe that holds the whole text and whose other end is closed: readable once, by who inherits it.
fn bootstrap(text: &str) -> Result<OwnedFd, Fault> {
    let (read, write) = pipe("bootstrap")?;
    fcntl_setpipe_size(&write, text.len().max(4096)).map_err(at("descriptors", "bootstrap"))?;
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let length = rustix::io::write(&write, rest).map_err(at("descriptors", "bootstrap"))?;
        rest = rest.get(length..).unwrap_or(&[]);
    }
    Ok(read)
}

/// Processes that the kernel has ended for want of memory: of the app's groups, or where those do not count them, of
/// the machine.
#[derive(Clone, Copy)]
enum OomKills {
    OfGroups(u64),
    OfMachine(u64),
}

impl OomKills {
    fn now(groups: &[Group]) -> Self {
        let counted: Vec<_> = groups.iter().filter_map(Group::oom_kills).collect();
        if counted.is_empty() {
            Self::OfMachine(group::machine_oom_kills())
        } else {
            Self::OfGroups(counted.iter().sum())
        }
    }

    /// What became of the app's own, if there were more since.
    fn since(self, before: Self) -> OutOfMemory {
        match (before, self) {
            (Self::OfGroups(before), Self::OfGroups(now)) if now > before => OutOfMemory::Killed,
            (Self::OfMachine(before), Self::OfMachine(now)) if now > before => OutOfMemory::Nearby,
            _ => OutOfMemory::Not,
        }
    }
}

/// The launcher while its app runs.
struct Stay {
    app: i32,
    groups: Vec<Group>,
    output: Option<OwnedFd>,
    log: Log,
    signals: OwnedFd,
    orders: Orders,
    pump: Option<Pump>,
    pace: Option<(Pace, Instant)>,
    memory: Option<(u64, Instant)>,
    orphan: Option<Clock>,
    ended: Option<Ended>,
    ended_by: Option<EndedBy>,
    /// Microseconds of processor of descendants that the app did not wait for.
    rest_micros: u64,
}

impl Stay {
    fn until_gone(mut self, before: OomKills, folder: &RunFolder) -> ExitRecord {
        loop {
            if let Some(mut ended) = self.ended {
                if self.reap() {
                    self.end_all();
                }
                self.drain(usize::MAX);
                ended.cpu_micros += self.rest_micros;
                let oom = OomKills::now(&self.groups).since(before);
                let is_orphan = self.orphan.as_ref().is_some_and(Clock::is_asked);
                let ended_by = self.ended_by.or(is_orphan.then_some(EndedBy::Orphan));
                let record = ExitRecord::new(ended, ended_by, oom);
                // A disk that refuses it costs what later supervisors would know; this one hears it.
                let _ = folder.write_end(&record, self.log.last_words());
                return record;
            }
            self.turn();
        }
    }

    /// Waits for the next thing and does it.
    fn turn(&mut self) {
        let mut polled = vec![PollFd::new(&self.signals, PollFlags::IN)];
        // A descriptor that is closed already is not waited for; its place is taken by the signals.
        let spare = || PollFd::new(&self.signals, PollFlags::empty());
        polled.push(self.output.as_ref().map_or_else(spare, |fd| PollFd::new(fd, PollFlags::IN)));
        polled.push(
            self.orders
                .source()
                .map_or_else(spare, |source| PollFd::from_borrowed_fd(source, PollFlags::IN)),
        );
        if let Some(pump) = &self.pump {
            polled.extend(pump.polled());
        }
        let timeout = self.timeout();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return,
            // Nothing to wait for by descriptor: the clock still turns the loop.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
        let ready: Vec<_> = polled.iter().map(PollFd::revents).collect();
        drop(polled);
        let is_ready = |index: usize| ready.get(index).is_some_and(|flags| !flags.is_empty());
        if is_ready(1) {
            self.drain(CHUNKS_MAX);
        }
        if let (Some(pump), Some(flags)) = (&mut self.pump, ready.get(3..3 + POLLED)) {
            let mut all = [PollFlags::empty(); POLLED];
            all.copy_from_slice(flags);
            pump.step(all);
        }
        if is_ready(2) && self.orders.read() {
            self.end_by(EndedBy::Asked);
        }
        if is_ready(0) {
            self.hear();
        }
        self.look();
    }

    fn timeout(&self) -> Option<Timespec> {
        let pace = self.pace.as_ref().map(|(_, due)| *due);
        let memory = self.memory.map(|(_, due)| due);
        let orphan = self.orphan.as_ref().and_then(Clock::due);
        let due = [pace, memory, orphan].into_iter().flatten().min()?;
        Timespec::try_from(due.saturating_duration_since(Instant::now())).ok()
    }

    /// Looks at CPU, memory and who is there when it is time to.
    fn look(&mut self) {
        if self.ended.is_some() {
            return;
        }
        let now = Instant::now();
        if let Some((pace, due)) = &mut self.pace
            && *due <= now
        {
            *due = now + pace.step(now);
        }
        if let Some((limit, due)) = self.memory
            && due <= now
        {
            let below = tree::descendants(self.app).into_iter().chain([self.app]);
            let used = below.map(tree::anonymous_bytes).sum();
            match memory::next_look(used, limit) {
                Some(wait) => self.memory = Some((limit, now + wait)),
                None => self.end_by(EndedBy::PollLimit),
            }
        }
        if let Some(clock) = &mut self.orphan {
            match clock.look(self.orders.is_alone(), Instant::now()) {
                Verdict::Go => {}
                Verdict::Ask => self.ask(),
                Verdict::End => self.end_by(EndedBy::Orphan),
            }
        }
    }

    /// Reads the signals that have come.
    fn hear(&mut self) {
        let mut record = [0; 128];
        while let Ok(length) = rustix::io::read(&self.signals, &mut record) {
            let Some(number) = record.first_chunk::<4>().filter(|_| length == record.len()) else {
                return;
            };
            match i32::from_ne_bytes(*number) {
                libc::SIGCHLD => {
                    self.reap();
                }
                libc::SIGUSR1 => self.end_by(EndedBy::Asked),
                // A terminal that was closed is not for the app, which has a session of its own.
                libc::SIGHUP => {}
                _ => self.ask(),
            }
        }
    }

    /// Asks the app to end.
    fn ask(&mut self) {
        if let Some((pace, _)) = &mut self.pace {
            pace.release();
        }
        tree::send(self.app, Signal::TERM);
    }

    /// Takes the ends of children; true while there are children.
    fn reap(&mut self) -> bool {
        loop {
            match os::reap() {
                Ok(Some(ended)) => self.note(ended),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn note(&mut self, ended: Ended) {
        if ended.pid == self.app {
            self.ended = Some(ended);
        } else {
            self.rest_micros += ended.cpu_micros;
        }
    }

    fn end_by(&mut self, who: EndedBy) {
        if self.ended.is_none() {
            self.ended_by = Some(who);
            // It is not stopped and continued any more, it is ended.
            (self.pace, self.memory, self.orphan) = (None, None, None);
            self.end_all();
        }
    }

    fn end_all(&mut self) {
        let groups = std::mem::take(&mut self.groups);
        tree::end_all(&groups, |ended| self.note(ended));
        self.groups = groups;
    }

    /// Takes what was printed; after the end, all of it.
    fn drain(&mut self, chunks_max: usize) {
        let Some(output) = &self.output else { return };
        let mut chunk = vec![0; CHUNK_BYTES];
        for _ in 0..chunks_max {
            match rustix::io::read(output, &mut chunk) {
                Ok(0) => {
                    self.output = None;
                    return;
                }
                Ok(length) => self.log.write(chunk.get(..length).unwrap_or(&[])),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
