//! What an app prints, in two files of bounded length: `out.log`, and `out.1.log` with what came before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes at the end of what was printed that are kept apart.
const LAST_BYTES: usize = 8 << 10;

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    /// The end of what was printed through this log; others may write the same files.
    last: Vec<u8>,
}

impl Log {
    /// Opens the log and goes on at its end.
    pub(crate) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, bytes_max, last: Vec::new() })
    }

    /// Writes what an app printed. A disk that refuses it costs the text, never the app.
    pub(crate) fn write(&mut self, mut text: &[u8]) {
        self.remember(text);
        while !text.is_empty() {
            if self.bytes >= self.bytes_max && self.turn().is_err() {
                return;
            }
            let room = usize::try_from(self.bytes_max - self.bytes).unwrap_or(usize::MAX);
            let (now, rest) = text.split_at(text.len().min(room));
            if self.file.write_all(now).is_err() {
                return;
            }
            self.bytes += u64::try_from(now.len()).unwrap_or(0);
            text = rest;
        }
    }

    /// The end of what was printed through this log.
    pub(crate) fn last_words(&self) -> &[u8] {
        self.last.get(self.last.len().saturating_sub(LAST_BYTES)..).unwrap_or(&[])
    }

    fn remember(&mut self, text: &[u8]) {
        self.last.extend_from_slice(text);
        // Now and then, so that not each line moves all before it.
        if self.last.len() > 2 * LAST_BYTES {
            self.last.drain(..self.last.len() - LAST_BYTES);
        }
    }

    /// The newer generation becomes the older one.
    fn turn(&mut self) -> io::Result<()> {
        fs::rename(&self.path, older(&self.path))?;
        self.file = open(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// `out.log` -> `out.1.log`.
fn older(path: &Path) -> PathBuf {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_extension(format!("1.{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_two_files_of_bounded_length_and_the_last_words() {
        let folder = std::env::temp_dir().join(format!("pos-kernel-log-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("made");
        let path = folder.join("out.log");
        let mut log = Log::open(&path, 4096).expect("opened");
        for line in 0..10_000 {
            log.write(format!("line {line}\n").as_bytes());
        }
        let text = fs::read_to_string(&path).expect("there");
        assert!(text.len() <= 4096);
        assert!(fs::metadata(folder.join("out.1.log")).expect("there").len() <= 4096);
        assert!(text.ends_with("line 9999\n"));
        assert_eq!(log.last_words().len(), LAST_BYTES);
        assert!(log.last_words().ends_with(b"line 9999\n"));
        let next = Log::open(&path, 4096).expect("opened");
        assert!(next.last_words().is_empty(), "what another run printed is not its own");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
