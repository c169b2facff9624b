//! The door of what the process host asks of the system and Node does not offer: the end of a process that is no
//! child of this one, the data limit of one that runs, and who is at the other end of a local socket.
//!
//! One thread waits for all processes together (`pidfd` in one `epoll`); it begins with the first and costs nothing
//! while they run. A descriptor of a process is that process for ever, whoever has its number later.

use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;
use pos_kernel_core::{Code, Error, Result};

use crate::fault::Cross;

/// Who is at the other end of a local socket, as the kernel saw it when the connection was made.
#[napi(object)]
pub struct NativePeer {
    /// Process.
    pub pid: i64,
    /// User.
    pub uid: i64,
    /// Group.
    pub gid: i64,
}

/// Calls `onGone` once when a process is gone: a number for `unwatchProcess`, or null when the process is gone
/// already or is not the one that started at `startTime` ticks after the boot. Keeps no process alive.
#[napi(catch_unwind)]
pub fn watch_process(
    env: &Env,
    pid: f64,
    start_time: f64,
    on_gone: Function<'_, (), ()>,
) -> napi::Result<Option<u32>> {
    let number = process(pid).cross(env)?;
    let start_time = crate::value::whole("startTime", start_time).cross(env)?;
    let function = on_gone.build_threadsafe_function();
    let function = function.callee_handled::<false>().weak::<true>().build()?;
    system::watch(number, start_time, function).cross(env)
}

/// Forgets a watch; its function is not called any more.
#[napi(catch_unwind)]
pub fn unwatch_process(watch: u32) {
    system::unwatch(watch);
}

/// Sets the data limit (`RLIMIT_DATA`) of a running process, up to the most that it was started with. Needs the same
/// user, or root.
#[napi(catch_unwind)]
pub fn set_data_limit(env: &Env, pid: f64, bytes: f64) -> napi::Result<()> {
    let number = process(pid).cross(env)?;
    let bytes = crate::value::whole("bytes", bytes).cross(env)?;
    system::set_data_limit(number, bytes).cross(env)
}

/// Who is at the other end of a connected local socket with this descriptor.
#[napi(catch_unwind)]
pub fn peer_credentials(env: &Env, fd: f64) -> napi::Result<NativePeer> {
    let number = crate::value::whole("fd", fd).cross(env)?;
    system::peer_credentials(number).cross(env)
}

fn process(pid: f64) -> Result<i32> {
    let number = crate::value::whole("pid", pid)?;
    i32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| crate::fault::argument("pid", format!("pid is {number}; it is no process")))
}

type GoneFunction =
    napi::threadsafe_function::ThreadsafeFunction<(), (), (), napi::Status, false, true>;

#[cfg(target_os = "linux")]
mod system {
    use super::{Code, Error, GoneFunction, NativePeer, Result};
    use crate::made::Made;
    use napi::threadsafe_function::ThreadsafeFunctionCallMode;
    use rustix::buffer::spare_capacity;
    use rustix::event::epoll;
    use rustix::fd::OwnedFd;
    use rustix::io::Errno;
    use rustix::process::{
        Gid, Pid, PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, Uid, getpid, pidfd_getfd,
        pidfd_open, prlimit,
    };
    use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
    use std::collections::HashMap;
    use std::fs;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// Ends that one wake-up takes.
    const EVENTS: usize = 64;

    struct Watcher {
        epoll: OwnedFd,
        watches: Mutex<Watches>,
    }

    #[derive(Default)]
    struct Watches {
        last: u32,
        open: HashMap<u32, (OwnedFd, GoneFunction)>,
    }

    static WATCHER: Made<Arc<Watcher>> = Made::new();

    impl Watcher {
        fn held(&self) -> MutexGuard<'_, Watches> {
            self.watches.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn run(&self) {
            let mut events = Vec::with_capacity(EVENTS);
            loop {
                match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(_) => return,
                }
                for event in events.drain(..) {
                    // Dropping the descriptor takes it out of the set.
                    let key = u32::try_from(event.data.u64()).unwrap_or_default();
                    let watch = self.held().open.remove(&key);
                    if let Some((_, function)) = watch {
                        function.call((), ThreadsafeFunctionCallMode::NonBlocking);
                    }
                }
            }
        }
    }

    /// The watcher with its thread: where there is none, there is no watcher, and the next call tries again.
    fn watcher() -> Result<&'static Watcher> {
        let watcher = WATCHER.get_or_make(|| {
            let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
                .map_err(|errno| failed("the set of watched processes", errno))?;
            let watcher = Arc::new(Watcher { epoll, watches: Mutex::default() });
            let own = Arc::clone(&watcher);
            let thread = std::thread::Builder::new().name("pos-kernel-process".to_owned());
            thread.spawn(move || own.run()).map_err(|error| {
                Error::new(Code::Io, format!("the thread that watches: {error}"))
            })?;
            Ok(watcher)
        });
        watcher.map(Arc::as_ref)
    }

    pub(super) fn watch(pid: i32, start_time: u64, function: GoneFunction) -> Result<Option<u32>> {
        let Some(number) = Pid::from_raw(pid) else { return Ok(None) };
        let descriptor = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH) => return Ok(None),
            Err(errno) => return Err(failed(&format!("process {pid}"), errno)),
        };
        // First the descriptor, then who it is: in between nobody else can take the number.
        if started(pid) != Some(start_time) {
            return Ok(None);
        }
        let watcher = watcher()?;
        let mut watches = watcher.held();
        watches.last = watches.last.wrapping_add(1);
        let key = watches.last;
        let data = epoll::EventData::new_u64(u64::from(key));
        epoll::add(&watcher.epoll, &descriptor, data, epoll::EventFlags::IN)
            .map_err(|errno| failed(&format!("process {pid}"), errno))?;
        watches.open.insert(key, (descriptor, function));
        Ok(Some(key))
    }

    pub(super) fn unwatch(watch: u32) {
        if let Some(watcher) = WATCHER.get() {
            watcher.held().open.remove(&watch);
        }
    }

    /// Ticks after the boot at which a process started; the name before may hold spaces and brackets.
    fn started(pid: i32) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields = stat.get(stat.rfind(')')? + 1..)?;
        fields.split_ascii_whitespace().nth(19)?.parse().ok()
    }

    pub(super) fn set_data_limit(pid: i32, bytes: u64) -> Result<()> {
        let what = format!("RLIMIT_DATA {bytes} of process {pid}");
        let limits = fs::read_to_string(format!("/proc/{pid}/limits"))
            .map_err(|_| failed(&what, Errno::SRCH))?;
        let maximum = hardest(&limits, "Max data size");
        let current = Some(maximum.map_or(bytes, |maximum| bytes.min(maximum)));
        let limit = Rlimit { current, maximum };
        let set = move || prlimit(Pid::from_raw(pid), Resource::Data, limit).map(drop);
        match set() {
            Err(Errno::PERM) => as_owner(pid, set),
            done => done,
        }
        .map_err(|errno| failed(&what, errno))
    }

    /// Does something as the user of a process, in a thread that ends with it. Root without `CAP_SYS_RESOURCE`, as
    /// in most containers, may not set limits of another user's process, and that user may; Linux has users by thread.
    fn as_owner(
        pid: i32,
        act: impl FnOnce() -> rustix::io::Result<()> + Send,
    ) -> rustix::io::Result<()> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|_| Errno::SRCH)?;
        let id = |name: &str| -> Option<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_ascii_whitespace().next()?.parse().ok()
        };
        let (uid, gid) = id("Uid:").zip(id("Gid:")).ok_or(Errno::SRCH)?;
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                set_thread_res_gid(gid, gid, gid)?;
                set_thread_res_uid(uid, uid, uid)?;
                act()
            });
            thread.join().unwrap_or(Err(Errno::PERM))
        })
    }

    /// The hard limit of a line `name  soft  hard  unit`; `None` when there is none.
    fn hardest(limits: &str, name: &str) -> Option<u64> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    pub(super) fn peer_credentials(fd: u64) -> Result<NativePeer> {
        let what = format!("the peer of descriptor {fd}");
        let number = i32::try_from(fd).map_err(|_| failed(&what, Errno::BADF))?;
        // A descriptor of our own for the same socket: the number alone may be closed at any moment.
        let own =
            pidfd_open(getpid(), PidfdFlags::empty()).map_err(|errno| failed(&what, errno))?;
        let socket = pidfd_getfd(own, number, PidfdGetfdFlags::empty())
            .map_err(|errno| failed(&what, errno))?;
        let peer =
            rustix::net::sockopt::socket_peercred(socket).map_err(|errno| failed(&what, errno))?;
        Ok(NativePeer {
            pid: i64::from(peer.pid.as_raw_nonzero().get()),
            uid: i64::from(peer.uid.as_raw()),
            gid: i64::from(peer.gid.as_raw()),
        })
    }

    fn failed(what: &str, errno: Errno) -> Error {
        Error::new(Code::Io, format!("{what}: {errno}"))
            .with("errno", i64::from(errno.raw_os_error()))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Code, Error, GoneFunction, NativePeer, Result};

    fn elsewhere(what: &str) -> Error {
        let message = format!("{what} is for Linux; look at the process from time to time instead");
        Error::new(Code::Unsupported, message).with("what", what.to_owned())
    }

    pub(super) fn watch(_: i32, _: u64, _: GoneFunction) -> Result<Option<u32>> {
        Err(elsewhere("watchProcess"))
    }

    pub(super) fn unwatch(_: u32) {}

    pub(super) fn set_data_limit(_: i32, _: u64) -> Result<()> {
        Err(elsewhere("setDataLimit"))
    }

    pub(super) fn peer_credentials(_: u64) -> Result<NativePeer> {
        Err(elsewhere("peerCredentials"))
    }
}
