//! The DevTools pump of the launcher, from outside: the real program, with a shell in the place of the browser that
//! speaks on descriptors 3 and 4 as a browser does.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// So long a test waits for what has to come.
const LIMIT: Duration = Duration::from_secs(60);

/// Gives back everything that it is told, and keeps it in the file `told`.
const ECHO: &str = "exec tee told <&3 >&4";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A launcher with its browser, in a folder of its own.
struct Rig {
    folder: PathBuf,
    launcher: Child,
    said: Option<BufReader<ChildStdout>>,
}

impl Rig {
    fn start(script: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pk-pump-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let order = serde_json::json!({
            "program": "/bin/sh",
            "args": ["-c", script],
            "env": { "PATH": "/usr/bin:/bin" },
            "cwd": folder,
            "devtools": { "socket": folder.join("s") },
            "outLog": { "path": folder.join("out.log"), "bytesMax": 65536 },
        });
        let mut launcher = Command::new(env!("CARGO_BIN_EXE_pos-kernel-launch"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the launcher starts");
        let stdin = launcher.stdin.as_mut().expect("its input");
        writeln!(stdin, "{order}").expect("the order is taken");
        let mut said = BufReader::new(launcher.stdout.take().expect("its output"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says who runs");
        assert!(!line.contains("error"), "{line}");
        Self { folder, launcher, said: Some(said) }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// A client that is served, with the first message that it got for `text`. Who comes before the launcher has seen
    /// that the one before has gone is turned away, and comes again.
    fn served(&self, text: &[u8]) -> (UnixStream, Vec<u8>) {
        let end = Instant::now() + LIMIT;
        loop {
            let mut stream = self.connect();
            if stream.write_all(text).is_ok()
                && let Some(message) = next(&mut stream)
            {
                return (stream, message);
            }
            assert!(Instant::now() < end, "nobody is served");
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).expect("somebody listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream.set_write_timeout(Some(LIMIT)).expect("a limit");
        stream
    }

    /// Waits until the browser was told exactly this.
    fn is_told(&self, expected: &[u8]) {
        let end = Instant::now() + LIMIT;
        loop {
            let told = fs::read(self.folder.join("told")).unwrap_or_default();
            if told == expected {
                return;
            }
            let so_far = String::from_utf8_lossy(told.get(..told.len().min(100)).unwrap_or(&[]));
            assert!(Instant::now() < end, "the browser was told {so_far:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a file of the browser's.
    fn until(&self, name: &str) {
        let end = Instant::now() + LIMIT;
        while !self.folder.join(name).exists() {
            assert!(Instant::now() < end, "waited in vain for {name}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The next message, without its end; `None` when the other side has ended.
fn next(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut byte = [0];
    loop {
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) if byte == [0] => return Some(message),
            Ok(_) => message.extend_from_slice(&byte),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The browser dies with its launcher.
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn messages_go_both_ways_over_a_socket_for_this_user_alone() {
    let rig = Rig::start(ECHO);
    let mode = fs::metadata(rig.socket()).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (mut client, first) = rig.served(b"one\0");
    assert_eq!(first, b"one");
    // In pieces, and two at once.
    client.write_all(b"tw").expect("sent");
    client.write_all(b"o\0three\0").expect("sent");
    assert_eq!(next(&mut client).as_deref(), Some(&b"two"[..]));
    assert_eq!(next(&mut client).as_deref(), Some(&b"three"[..]));
}

#[test]
fn a_second_client_is_turned_away_and_harms_nothing() {
    let rig = Rig::start(ECHO);
    let (mut client, _) = rig.served(b"one\0");
    for _ in 0..10 {
        let mut second = rig.connect();
        // It may be gone before it has said anything.
        let _ = second.write_all(b"stranger\0");
        assert_eq!(next(&mut second), None);
    }
    client.write_all(b"two\0").expect("sent");
    assert_eq!(next(&mut client).as_deref(), Some(&b"two"[..]));
    rig.is_told(b"one\0two\0");
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_message_leaves_nothing_behind() {
    let rig = Rig::start(ECHO);
    let (mut client, _) = rig.served(b"one\0");
    client.write_all(b"whole\0half").expect("sent");
    assert_eq!(next(&mut client).as_deref(), Some(&b"whole"[..]));
    drop(client);
    let (_client, first) = rig.served(b"next\0");
    assert_eq!(first, b"next");
    rig.is_told(b"one\0whole\0next\0");
}

#[test]
fn a_client_that_comes_in_the_middle_of_a_message_gets_the_next_one() {
    let rig = Rig::start(
        "printf begin >&4; : >begun; head -c 3 <&3 >told; printf 'end\\000next\\000' >&4; \
         exec cat <&3 >&4",
    );
    rig.until("begun");
    let (mut client, first) = rig.served(b"go\0");
    assert_eq!(first, b"next");
    client.write_all(b"again\0").expect("sent");
    assert_eq!(next(&mut client).as_deref(), Some(&b"again"[..]));
}

#[test]
fn a_browser_that_nobody_hears_does_not_stand_still() {
    // Far more than a pipe holds.
    let rig = Rig::start(
        "head -c 4000000 /dev/zero | tr '\\000' x >&4; printf '\\000' >&4; : >done; exec cat <&3 >&4",
    );
    rig.until("done");
    let (_client, first) = rig.served(b"here\0");
    assert_eq!(first, b"here");
}

#[test]
fn a_client_that_reads_late_misses_nothing() {
    let rig = Rig::start(
        "head -c 3 <&3 >told; head -c 2000000 /dev/zero | tr '\\000' x >&4; printf '\\000' >&4; exec cat <&3 >&4",
    );
    let mut client = rig.connect();
    client.write_all(b"go\0").expect("sent");
    rig.until("told");
    // It goes on saying things, although it reads nothing: neither side waits for the other for ever.
    client.write_all(b"later\0").expect("sent");
    let big = next(&mut client).expect("a message");
    assert_eq!(big.len(), 2_000_000);
    assert_eq!(next(&mut client).as_deref(), Some(&b"later"[..]));
}

#[test]
fn a_page_outlives_the_supervisor_and_its_end_is_the_clients_end() {
    let mut rig = Rig::start("head -c 4 <&3 >&4; head -c 4 <&3 >&4");
    let (client, _) = rig.served(b"one\0");
    drop(client);
    // The supervisor is gone: nobody writes to the launcher and nobody reads what it says.
    drop(rig.launcher.stdin.take());
    drop(rig.said.take());
    let (mut client, first) = rig.served(b"two\0");
    assert_eq!(first, b"two");
    assert_eq!(next(&mut client), None);
    rig.until("exit.json");
}
