//! The processes of an app: who they are, what they hold, and how none of them is left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::group;

/// Rounds of stopping a tree that goes on forking, before it is killed as it is.
const STOP_ROUNDS_MAX: usize = 100;
/// Rounds of killing; with a limit of processes two are enough.
const KILL_ROUNDS_MAX: usize = 2000;

/// Who a process is, beyond its number.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Its number.
    pub(crate) pid: i32,
    /// Ticks after the boot at which it started.
    pub(crate) start_time: u64,
    /// The boot.
    pub(crate) boot_id: String,
}

impl Identity {
    /// Reads it; `None` when there is no such process.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let start_time = after_name(&stat)?.nth(19)?.parse().ok()?;
        Some(Self { pid, start_time, boot_id: boot_id.trim().to_owned() })
    }
}

/// Sends a signal; false when the process is gone.
pub(crate) fn send(pid: i32, signal: Signal) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// All descendants of a process, parents before children.
pub(crate) fn descendants(root: i32) -> Vec<i32> {
    let table = if lists_children() { None } else { Some(parents()) };
    let mut found = Vec::new();
    let mut pending = vec![root];
    while let Some(pid) = pending.pop() {
        let children =
            table.as_ref().map_or_else(|| children(pid), |table| children_in(table, pid));
        pending.extend(&children);
        found.extend(children);
    }
    found
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let Ok(text) = fs::read_to_string(task.path().join("children")) else { continue };
        found.extend(text.split_ascii_whitespace().filter_map(|word| word.parse::<i32>().ok()));
    }
    found
}

/// True where the kernel lists children (`CONFIG_PROC_CHILDREN`).
fn lists_children() -> bool {
    let own = std::process::id();
    Path::new(&format!("/proc/self/task/{own}/children")).exists()
}

/// Every process of the machine and its parent: the longer way, for kernels that do not list children.
fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, after_name(&stat)?.nth(1)?.parse().ok()?))
    })
    .collect()
}

fn children_in(table: &[(i32, i32)], pid: i32) -> Vec<i32> {
    table.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child).collect()
}

/// Anonymous resident bytes of a process: what it holds that no file stands behind.
pub(crate) fn anonymous_bytes(pid: i32) -> u64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/statm")) else { return 0 };
    let mut words =
        text.split_ascii_whitespace().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let (resident, shared) = (words.next().unwrap_or(0), words.next().unwrap_or(0));
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    resident.saturating_sub(shared) * page
}

/// Ends every descendant of this process and takes their ends; `on_end` sees each.
///
/// A tree that forks faster than it is listed is stopped first: a process that is stopped forks no more, and keeps
/// its place under the limit of processes.
pub(crate) fn end_all(groups: &[group::Group], mut on_end: impl FnMut(crate::os::Ended)) {
    for group in groups {
        group.kill();
    }
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let mut known = Vec::new();
    for _ in 0..STOP_ROUNDS_MAX {
        let now = descendants(own);
        if now.iter().all(|pid| known.contains(pid)) {
            break;
        }
        for pid in &now {
            send(*pid, Signal::STOP);
        }
        known = now;
    }
    for _ in 0..KILL_ROUNDS_MAX {
        for pid in descendants(own) {
            // Its group first: the kernel does that in one go, while nobody of it can fork.
            if let Some(pid) = Pid::from_raw(pid) {
                if group_of(pid) == Some(pid.as_raw_nonzero().get()) {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        loop {
            match crate::os::reap() {
                Ok(Some(ended)) => on_end(ended),
                Ok(None) => break,
                // No child is left.
                Err(_) => return,
            }
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn group_of(pid: Pid) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    after_name(&stat)?.nth(2)?.parse().ok()
}

/// The fields of a stat file after the name, which may hold spaces and brackets; the first is field 3.
fn after_name(stat: &str) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    Some(stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_knows_its_descendants() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("sh runs");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("line");
        let pid = i32::try_from(child.id()).expect("small");
        let below = descendants(pid);
        assert_eq!(below.len(), 1, "{below:?}");
        assert_eq!(children_in(&parents(), pid), below);
        assert!(anonymous_bytes(pid) > 0);
        for pid in below {
            send(pid, Signal::KILL);
        }
        child.wait().expect("ended");
    }

    #[test]
    fn an_identity_has_the_start_of_the_process() {
        let own = i32::try_from(std::process::id()).expect("small");
        let identity = Identity::of(own).expect("this process is there");
        let uptime = fs::read_to_string("/proc/uptime").expect("there");
        let seconds: u64 = uptime.split('.').next().expect("first").parse().expect("number");
        let ticks = u64::try_from(crate::os::ticks_per_second()).expect("positive");
        assert!(identity.start_time <= (seconds + 1) * ticks);
        assert_eq!(identity.boot_id.len(), 36);
    }
}
