//! Waiting for a message without looking for it all the time: the system tells when something comes
//! into a folder, whoever puts it there.

use std::path::Path;
use std::time::Duration;

/// Without the system's help, a folder is looked into so often.
const PAUSE: Duration = Duration::from_millis(50);

/// What rings when something comes into a folder.
#[derive(Debug)]
pub(crate) struct Bell {
    /// `None` where the system does not tell, or has told too many others.
    #[cfg(target_os = "linux")]
    watch: Option<std::os::fd::OwnedFd>,
}

impl Bell {
    /// Whatever comes into the folder from here on rings.
    pub(crate) fn of(dir: &Path) -> Self {
        #[cfg(target_os = "linux")]
        return Self { watch: watch(dir).ok() };
        #[cfg(not(target_os = "linux"))]
        {
            let _ = dir;
            Self {}
        }
    }

    /// Waits for the bell. True when something may have come, which a look into the folder tells.
    pub(crate) fn wait(&self, most: Duration) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(watch) = &self.watch {
            return rings(watch, most);
        }
        std::thread::sleep(most.min(PAUSE));
        true
    }
}

#[cfg(target_os = "linux")]
fn watch(dir: &Path) -> rustix::io::Result<std::os::fd::OwnedFd> {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    // A message comes by a rename, one to all by a link.
    add_watch(&watch, dir, WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::ONLYDIR)?;
    Ok(watch)
}

#[cfg(target_os = "linux")]
fn rings(watch: &std::os::fd::OwnedFd, most: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let Ok(most) = Timespec::try_from(most) else { return true };
    // A signal ends it early: then nothing has come, and whoever waits waits on.
    if poll(&mut [PollFd::new(watch, PollFlags::IN)], Some(&most)) != Ok(1) {
        return false;
    }
    let mut told = [0; 4096];
    while rustix::io::read(watch, &mut told).is_ok_and(|bytes| bytes > 0) {}
    true
}

#[cfg(test)]
mod tests {
    use super::Bell;
    use std::fs;
    use std::time::Duration;

    #[test]
    fn it_rings_for_what_comes_and_not_for_what_was_there() {
        let root = tempfile::tempdir().expect("a folder");
        let (dir, elsewhere) = (root.path().join("new"), root.path().join("tmp"));
        fs::create_dir(&dir).expect("a folder");
        fs::write(dir.join("before"), "").expect("a file");
        fs::write(&elsewhere, "").expect("a file");
        let bell = Bell::of(&dir);
        let never = Duration::from_secs(600);
        if cfg!(target_os = "linux") {
            assert!(!bell.wait(Duration::ZERO));
        }
        fs::hard_link(&elsewhere, dir.join("linked")).expect("a link");
        assert!(bell.wait(never));
        fs::rename(&elsewhere, dir.join("moved")).expect("a rename");
        assert!(bell.wait(never));
        if cfg!(target_os = "linux") {
            assert!(!bell.wait(Duration::ZERO), "each rings once");
        }
    }

    #[test]
    fn without_the_systems_help_whoever_waits_looks_again() {
        let root = tempfile::tempdir().expect("a folder");
        let bell = Bell::of(&root.path().join("not there"));
        assert!(bell.wait(Duration::from_secs(600)));
    }
}
