//! Notices that the event loop stands, which the loop itself cannot: a thread that waits for its beats.
//!
//! ```text
//! loop      beat      beat      beat      (stands)
//! watchdog  sleeps .......................|  1  2  3 ... n ticks after a beat was due
//!                                                        |- hang.json: how the thread stands, as the system sees it
//!                                                        `- interrupt: its JavaScript stack, where it runs JavaScript
//! ```
//!
//! Each beat says when the next one comes and puts an alarm off until then: while beats come, this thread is never
//! woken. When one is missing it counts its own ticks and not the time: while the whole process is stopped, or the
//! machine sleeps, neither side counts.

use crate::alarm::Alarm;
use crate::fault::{Cross, argument};
use crate::interrupt::Interrupt;
use crate::value::whole;
use napi::Env;
use napi_derive::napi;
use pos_kernel_core::{Code, Error, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Shortest time that counts as a standing loop, in milliseconds.
const HANG_MS_MIN: u64 = 100;
/// Longest.
const HANG_MS_MAX: u64 = 600_000;
/// Ticks in that time.
const TICKS: u64 = 8;

/// How to watch.
#[napi(object)]
pub struct NativeWatchdogOptions {
    /// A loop whose beat is missing for so long stands; 100 to 600,000 milliseconds.
    pub hang_ms: f64,
    /// Folder for `hang.json`.
    pub folder: String,
}

struct Shared {
    beats: AtomicU64,
    hangs: AtomicU64,
    /// Times that the thread was woken.
    wakes: AtomicU64,
    is_over: AtomicBool,
    /// Rings when a beat is missing, and when it is over.
    missing: Alarm,
    interrupt: Interrupt,
}

impl Shared {
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.missing.put(Duration::ZERO);
        self.interrupt.end();
    }
}

/// A thread that watches the event loop of the thread that made it.
#[napi]
pub struct NativeWatchdog {
    shared: Arc<Shared>,
    tick: Duration,
}

/// Watches the calling thread's event loop from its first beat on. Each time that it stands, this thread writes the
/// report `node-hang.json` into the folder of reports, in the midst of the JavaScript that keeps it.
#[napi(catch_unwind)]
pub fn start_watchdog(env: Env, options: NativeWatchdogOptions) -> napi::Result<NativeWatchdog> {
    let hang_ms = hang_ms_of(options.hang_ms).cross(&env)?;
    let alarm = Alarm::new().map_err(|error| io("the watchdog's timer", &error)).cross(&env)?;
    let shared = Arc::new(Shared {
        beats: AtomicU64::new(0),
        hangs: AtomicU64::new(0),
        wakes: AtomicU64::new(0),
        missing: alarm,
        is_over: AtomicBool::new(false),
        interrupt: Interrupt::of_this_thread(),
    });
    let tick = Duration::from_millis(hang_ms / TICKS);
    let watch = Watch {
        shared: shared.clone(),
        tick,
        hang_ms,
        file: PathBuf::from(options.folder).join("hang.json"),
        thread: this_thread(),
    };
    thread::Builder::new()
        .name("pos-watchdog".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || watch.run())
        .map_err(|error| io("the watchdog's thread", &error))
        .cross(&env)?;
    env.add_env_cleanup_hook(shared.clone(), |shared| shared.end())?;
    Ok(NativeWatchdog { shared, tick })
}

fn io(what: &str, error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{what}: {error}"))
}

#[napi]
impl NativeWatchdog {
    /// True when the JavaScript stack of a standing loop can be had.
    #[napi(getter)]
    #[must_use]
    pub fn has_stack(&self) -> bool {
        self.shared.interrupt.is_possible()
    }

    /// How often the loop stood.
    #[napi(getter)]
    #[must_use]
    pub fn hangs(&self) -> u32 {
        u32::try_from(self.shared.hangs.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    /// How often the watchdog's thread was woken: not at all while beats come.
    #[napi(getter)]
    #[must_use]
    pub fn wakes(&self) -> u32 {
        u32::try_from(self.shared.wakes.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    /// The loop goes round, and does so again within `next_ms` milliseconds.
    #[napi]
    pub fn beat(&self, next_ms: u32) {
        // In this order: whoever sees the beat sees that the alarm was put off.
        self.shared.missing.put(Duration::from_millis(next_ms.into()) + self.tick);
        self.shared.beats.fetch_add(1, Ordering::Release);
    }

    /// Watches no more. May be called again.
    #[napi]
    pub fn stop(&self) {
        self.shared.end();
    }
}

impl Drop for NativeWatchdog {
    fn drop(&mut self) {
        self.shared.end();
    }
}

fn hang_ms_of(value: f64) -> Result<u64> {
    let ms = whole("hangMs", value)?;
    if (HANG_MS_MIN..=HANG_MS_MAX).contains(&ms) {
        return Ok(ms);
    }
    let message = format!("hangMs is {ms}; it must be {HANG_MS_MIN} to {HANG_MS_MAX}");
    Err(argument("hangMs", message))
}

/// The watchdog's own thread.
struct Watch {
    shared: Arc<Shared>,
    tick: Duration,
    hang_ms: u64,
    file: PathBuf,
    thread: PathBuf,
}

impl Watch {
    fn run(&self) {
        loop {
            self.shared.missing.wait();
            if self.is_over() || self.look() {
                return;
            }
        }
    }

    /// Wakes to look; true when there is nothing to watch any more.
    fn is_over(&self) -> bool {
        self.shared.wakes.fetch_add(1, Ordering::Relaxed);
        self.shared.is_over.load(Ordering::Relaxed)
    }

    /// Counts ticks until there is a beat; true when it is over before.
    fn look(&self) -> bool {
        let beats = self.shared.beats.load(Ordering::Acquire);
        // A beat that came in the moment that it rang.
        if self.shared.missing.is_put() {
            return false;
        }
        let used = Used::of(&self.thread);
        let mut standing: Option<Value> = None;
        for still in 1_u64.. {
            thread::sleep(self.tick);
            if self.is_over() {
                return true;
            }
            if self.shared.beats.load(Ordering::Relaxed) != beats {
                break;
            }
            if still == TICKS {
                let record = self.record(used);
                self.write(record.clone());
                standing = Some(record);
                self.shared.hangs.fetch_add(1, Ordering::Relaxed);
                self.shared.interrupt.request();
            }
        }
        if let Some(record) = standing {
            self.write(over(record));
        }
        false
    }

    /// How the thread stands, as the system sees it.
    fn record(&self, before: Used) -> Value {
        let text = |name: &str| fs::read_to_string(self.thread.join(name)).ok();
        let syscall = text("syscall").map(|it| it.trim().to_owned());
        let used = Used::of(&self.thread);
        json!({
            "at": now_ms(),
            "hangMs": self.hang_ms,
            "endedAt": null,
            "hasStack": self.shared.interrupt.is_possible(),
            "thread": {
                "state": used.state.map(String::from),
                "cpuTicks": used.ticks.saturating_sub(before.ticks),
                "waitsIn": text("wchan").filter(|it| it != "0" && !it.is_empty()),
                "frame": syscall.as_deref().and_then(frame_of),
                "syscall": syscall,
                "kernelStack": text("stack").filter(|it| !it.is_empty()),
            },
        })
    }

    /// Whole or not at all; a folder that cannot be written leaves the supervisor its own judgement.
    fn write(&self, record: Value) {
        let draft = self.file.with_extension("json.tmp");
        if fs::write(&draft, record.to_string()).is_ok() {
            let _ = fs::rename(&draft, &self.file);
        }
    }
}

fn over(mut record: Value) -> Value {
    record["endedAt"] = now_ms().into();
    record
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The folder of the calling thread in the process file system; where there is none, nothing can be read in it.
fn this_thread() -> PathBuf {
    let link = fs::read_link("/proc/thread-self").unwrap_or_default();
    Path::new("/proc").join(link)
}

/// State letter and processor time of a thread.
#[derive(Clone, Copy, Default)]
struct Used {
    state: Option<char>,
    /// In ticks of the system's clock, 100 a second on Linux.
    ticks: u64,
}

impl Used {
    fn of(thread: &Path) -> Self {
        let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
        // The name before the last parenthesis may hold anything.
        let Some((_, rest)) = stat.rsplit_once(')') else { return Self::default() };
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next().and_then(|it| it.chars().next());
        // Fields 14 and 15; the state is field 3.
        let ticks = fields.skip(10).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
        Self { state, ticks }
    }
}

/// Where in which file the thread's own code waits: the last number of `syscall` is its instruction pointer.
fn frame_of(syscall: &str) -> Option<Value> {
    let pointer = syscall.split(' ').next_back()?.strip_prefix("0x")?;
    let pointer = u64::from_str_radix(pointer, 16).ok()?;
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let from = u64::from_str_radix(from, 16).ok()?;
        let to = u64::from_str_radix(to, 16).ok()?;
        if !(from..to).contains(&pointer) {
            return None;
        }
        let at = u64::from_str_radix(fields.nth(1)?, 16).ok()?;
        let file = fields.nth(2).unwrap_or("[anonymous]");
        Some(json!({ "file": file, "offset": format!("{:#x}", pointer - from + at) }))
    })
}

#[cfg(test)]
mod tests {
    use super::{Used, frame_of, hang_ms_of};
    use std::path::Path;

    #[test]
    fn a_time_outside_the_limits_is_refused() {
        for ms in [-1.0, 0.0, 99.0, 600_001.0, 0.5, f64::NAN] {
            assert!(hang_ms_of(ms).is_err(), "{ms}");
        }
        assert_eq!(hang_ms_of(100.0).ok(), Some(100));
    }

    #[test]
    fn a_thread_that_is_gone_has_used_nothing() {
        let used = Used::of(Path::new("/proc/0/task/0"));
        assert_eq!((used.state, used.ticks), (None, 0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_state_of_this_thread_is_running() {
        assert_eq!(Used::of(&super::this_thread()).state, Some('R'));
    }

    #[test]
    fn no_frame_is_found_in_what_is_no_pointer() {
        for text in ["running", "", "0 0x0 0x0", "-1 0x7ffe 0xzz"] {
            assert!(frame_of(text).is_none(), "{text}");
        }
    }
}
