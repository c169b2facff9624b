//! The control groups that the app is in: joined by the child, asked for kills of the kernel, and ended at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

/// One group, of either version; of version 1 there is one for each controller.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
}

impl Group {
    /// The group that a file `cgroup.procs` belongs to.
    pub(crate) fn of(procs: &Path) -> Self {
        Self { folder: procs.parent().unwrap_or(procs).to_owned() }
    }

    /// Puts the calling process into it.
    pub(crate) fn join(procs: &Path) -> io::Result<()> {
        fs::write(procs, "0")
    }

    /// Processes that the kernel ended in it for want of memory, its own or that of the machine, since it was made; `None`
    /// where it does not count them.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        ["memory.events", "memory.oom_control"]
            .iter()
            .filter_map(|name| fs::read_to_string(self.folder.join(name)).ok())
            .filter_map(|text| counter(&text, "oom_kill"))
            .reduce(|sum, kills| sum + kills)
    }

    /// Ends everything in it: in one go where the kernel can, else no process of it forks any more and each is killed.
    pub(crate) fn kill(&self) {
        if fs::write(self.folder.join("cgroup.kill"), "1").is_ok() {
            return;
        }
        let pids_max = self.folder.join("pids.max");
        if pids_max.exists() {
            let _ = fs::write(pids_max, "0");
        }
        let Ok(text) = fs::read_to_string(self.folder.join("cgroup.procs")) else { return };
        for pid in text.split_ascii_whitespace().filter_map(|word| word.parse::<i32>().ok()) {
            crate::tree::send(pid, Signal::KILL);
        }
    }
}

/// Processes that the kernel ended on this machine for want of memory, since it was started.
pub(crate) fn machine_oom_kills() -> u64 {
    let text = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    counter(&text, "oom_kill").unwrap_or(0)
}

fn counter(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_not_its_neighbour() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\noom_group_kill 1\n";
        assert_eq!(counter(text, "oom_kill"), Some(3));
        assert_eq!(counter(text, "oom_kills"), None);
    }
}
