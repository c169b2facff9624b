//! Clients and a server on a real socket: the order of calls, seats, stopping, and what peers send
//! that is not the protocol. The server's host here answers each call with its own payload.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pos_kernel_core::{Code, Error};
use pos_kernel_service::{
    Client, ClientOptions, FRAME_BYTES_MAX, Frames, Hello, Kind, Post, SOCKET_PATH_BYTES_MAX,
    Server, ServerLimits, ServerOptions, frame,
};
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A server whose host says what it has taken, in order, and echoes it.
struct Echo {
    server: Arc<Server>,
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
    is_mute: Arc<AtomicBool>,
    work: Option<mpsc::Sender<bool>>,
    host: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(options: ServerOptions) -> Result<Self, Error> {
        let (work, woken) = mpsc::channel();
        let waking = Mutex::new(work.clone());
        let server = Arc::new(Server::start(options, move || {
            // The host may be gone when the last connections break.
            let _ = waking.lock().unwrap().send(true);
        })?);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let is_mute = Arc::new(AtomicBool::new(false));
        let (serving, seen, mute) = (server.clone(), taken.clone(), is_mute.clone());
        let host = thread::spawn(move || {
            while woken.recv() == Ok(true) {
                let answers = echo(&serving.take(), &seen);
                if !mute.load(Ordering::SeqCst) {
                    serving.answer(&answers).unwrap();
                }
            }
        });
        Ok(Self { server, taken, is_mute, work: Some(work), host: Some(host) })
    }

    fn taken(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.server.stop();
        let _ = self.work.take().unwrap().send(false);
        self.host.take().unwrap().join().unwrap();
    }
}

/// Answers a batch: welcome to whoever comes, and each call with what it carries.
fn echo(mut batch: &[u8], taken: &Mutex<Vec<Vec<u8>>>) -> Vec<u8> {
    let mut answers = Vec::new();
    while let Some((connection, rest)) = batch.split_first_chunk::<4>() {
        let size = u32::from_le_bytes(*rest.first_chunk::<4>().unwrap()) as usize + 4;
        let mut frames = Frames::default();
        frames.put(&rest[..size]);
        let next = frames.next_frame().unwrap().unwrap();
        let answer = match next.kind {
            Kind::Hello => Some(Kind::Welcome),
            Kind::Goodbye => None,
            _ => Some(Kind::Answer),
        };
        if let Some(kind) = answer {
            if kind == Kind::Answer {
                taken.lock().unwrap().push(next.payload.to_vec());
            }
            answers.extend_from_slice(connection);
            frame(&mut answers, kind, next.number, next.payload);
        }
        batch = &rest[size..];
    }
    answers
}

fn limits() -> ServerLimits {
    ServerLimits {
        hello: Duration::from_millis(200),
        frame: Duration::from_millis(200),
        stop: Duration::from_millis(500),
        unread_bytes_max: 2 << 20,
        ..ServerLimits::default()
    }
}

fn options(root: &Path) -> ServerOptions {
    ServerOptions {
        root: root.to_owned(),
        package: "1".to_owned(),
        limits: limits(),
        ..ServerOptions::default()
    }
}

fn wanting(root: &Path, terminal: &str) -> ClientOptions {
    ClientOptions {
        root: root.to_owned(),
        terminal: terminal.to_owned(),
        package: "1".to_owned(),
        door: "native",
        patience: Duration::from_secs(30),
        ..ClientOptions::default()
    }
}

fn client(root: &Path, terminal: &str) -> Result<Client, Error> {
    Client::connect(wanting(root, terminal), || {})
}

fn call(payload: &[u8]) -> Post<'_> {
    Post { kind: Kind::Call, may_repeat: false, payload }
}

fn socket_in(root: &Path) -> PathBuf {
    root.join("service").join("service.sock")
}

fn hello(terminal: &str) -> Vec<u8> {
    let text = str::to_owned;
    let hello = Hello {
        package: text("1"),
        door: text("native"),
        terminal: text(terminal),
        session: text("a session of its own"),
    };
    let mut bytes = Vec::new();
    frame(&mut bytes, Kind::Hello, 0, &hello.encode());
    bytes
}

/// What a service says to bytes until it ends the connection, and with which code it does so.
fn told(root: &Path, bytes: &[u8], then_close: bool) -> Option<String> {
    let mut socket = UnixStream::connect(socket_in(root)).unwrap();
    // A service that has ended the connection already takes no more.
    let _ = socket.write_all(bytes);
    if then_close {
        socket.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut said = Vec::new();
    let _ = socket.read_to_end(&mut said);
    let mut frames = Frames::default();
    frames.put(&said);
    let mut code = None;
    while let Some(next) = frames.next_frame().unwrap() {
        if next.kind == Kind::Refused {
            let error: serde_json::Value = serde_json::from_slice(next.payload).unwrap();
            code = error["code"].as_str().map(str::to_owned);
        }
    }
    code
}

#[test]
fn calls_are_taken_in_the_order_in_which_they_are_made() {
    let root = tempfile::tempdir().unwrap();
    let echo = Echo::start(options(root.path())).unwrap();
    let client = client(root.path(), "T1").unwrap();
    let mut expected = Vec::new();
    for round in 0..50 {
        let texts: Vec<String> = (0..20).map(|one| format!("{round}.{one}")).collect();
        let posts: Vec<_> = texts.iter().map(|text| call(text.as_bytes())).collect();
        client.post(&posts).unwrap();
        let last = format!("{round}, waiting");
        assert_eq!(
            client.call(call(last.as_bytes())).unwrap(),
            (Kind::Answer, last.clone().into())
        );
        expected.extend(texts);
        expected.push(last);
    }
    assert_eq!(echo.taken(), expected);
    client.close();
    let mut frames = Frames::default();
    frames.put(&client.take());
    let mut answered = 0;
    while let Some(next) = frames.next_frame().unwrap() {
        assert_eq!(next.kind, Kind::Answer);
        answered += 1;
    }
    assert_eq!(answered, 1000);
    assert_eq!(client.post(&[call(b"")]).unwrap_err().code(), Code::Closed);
}

#[test]
fn a_terminal_has_one_client_and_is_free_when_that_has_gone() {
    let root = tempfile::tempdir().unwrap();
    let _echo = Echo::start(options(root.path())).unwrap();
    let first = client(root.path(), "T1").unwrap();
    let other = client(root.path(), "T2").unwrap();
    let refused = client(root.path(), "T1").unwrap_err();
    assert_eq!(refused.code(), Code::TerminalInUse);
    assert_eq!(refused.facts()["terminal"], "T1");
    assert_eq!(refused.facts()["holder"]["pid"], std::process::id());
    first.call(call(b"still here")).unwrap();
    first.close();
    let second = client(root.path(), "T1").unwrap();
    second.call(call(b"here now")).unwrap();
    // One that is gone without a word has hung up, whether or not its thread has noticed.
    drop(second);
    let third = loop {
        match client(root.path(), "T1") {
            Ok(third) => break third,
            Err(error) => assert_eq!(error.code(), Code::TerminalInUse),
        }
    };
    third.call(call(b"and now me")).unwrap();
    other.call(call(b"undisturbed")).unwrap();
}

#[test]
fn a_service_that_stops_answers_what_it_has_taken_and_the_rest_is_sent_to_the_next() {
    let root = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    let mut echo = Echo::start(options(root.path())).unwrap();
    let client = Arc::new(client(root.path(), "T1").unwrap());
    let texts: Vec<String> = (0..2000).map(|one| one.to_string()).collect();
    let (posting, sent) = (client.clone(), texts.clone());
    let posts = thread::spawn(move || {
        for text in &sent {
            // None of them may be sent twice, and none is lost or doubled all the same.
            posting.call(call(text.as_bytes())).unwrap();
        }
    });
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(2));
        echo.server.stop();
        all.extend(echo.taken());
        echo = Echo::start(options(root.path())).unwrap();
    }
    posts.join().unwrap();
    all.extend(echo.taken());
    assert_eq!(all, texts);
}

#[test]
fn a_call_that_may_have_been_done_is_told_so_when_the_connection_breaks() {
    let root = tempfile::tempdir().unwrap();
    let echo = Echo::start(options(root.path())).unwrap();
    let client = Arc::new(client(root.path(), "T1").unwrap());
    echo.is_mute.store(true, Ordering::SeqCst);
    let (once, twice) = (client.clone(), client.clone());
    let once = thread::spawn(move || once.call(call(b"once")));
    while echo.taken().is_empty() {
        thread::yield_now();
    }
    let twice = thread::spawn(move || {
        twice.call(Post { kind: Kind::Call, may_repeat: true, payload: b"twice" })
    });
    while echo.taken().len() < 2 {
        thread::yield_now();
    }
    echo.is_mute.store(false, Ordering::SeqCst);
    // A frame of garbage from the client's own session cuts its connection, as a broken one is cut.
    let cut =
        client.post(&[Post { kind: Kind::Welcome, may_repeat: false, payload: b"" }]).unwrap();
    assert_eq!(once.join().unwrap().unwrap_err().code(), Code::OutcomeUnknown);
    assert_eq!(twice.join().unwrap().unwrap().1, b"twice");
    assert!(cut > 0);
}

#[test]
fn what_is_not_the_protocol_is_refused_and_others_go_on() {
    let root = tempfile::tempdir().unwrap();
    let echo = Echo::start(options(root.path())).unwrap();
    let good = client(root.path(), "T1").unwrap();
    let path = root.path();
    let with = |more: &[u8]| [&hello("T2")[..], more].concat();
    let bad = Some(Code::BadFrame.name().to_owned());
    assert_eq!(told(path, b"GET / HTTP/1.1\r\nHost: till\r\n\r\n", false), bad);
    assert_eq!(told(path, &[0xff; 4096], false), bad);
    assert_eq!(told(path, &[], true), bad);
    // A greeting that is a call, one that is too long, and one that is cut short.
    let mut early = Vec::new();
    frame(&mut early, Kind::Call, 1, b"[]");
    assert_eq!(told(path, &early, false), bad);
    let mut long = Vec::new();
    frame(&mut long, Kind::Hello, 0, &[b' '; 5000]);
    assert_eq!(told(path, &long, false), bad);
    assert_eq!(told(path, &hello("T2")[..20], true), bad);
    // Behind a good greeting: too large, of no kind, of a kind that services send, cut short.
    let size = u32::try_from(FRAME_BYTES_MAX).unwrap();
    assert_eq!(told(path, &with(&size.to_le_bytes()), false), bad);
    assert_eq!(told(path, &with(&[9, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0]), false), bad);
    let mut answer = Vec::new();
    frame(&mut answer, Kind::Answer, 1, b"");
    assert_eq!(told(path, &with(&answer), false), bad);
    assert_eq!(told(path, &with(&[100, 0, 0, 0, 4]), true), bad);
    // Numbers that do not go up.
    let mut twice = Vec::new();
    frame(&mut twice, Kind::Call, 7, b"seven");
    frame(&mut twice, Kind::Call, 7, b"seven again");
    assert_eq!(told(path, &with(&twice), false), bad);
    // Slow: a greeting that never ends, and a frame that never does.
    assert_eq!(told(path, &hello("T2")[..9], false), bad);
    assert_eq!(told(path, &with(&[100, 0, 0, 0, 4, 1]), false), bad);
    let mut other = hello("T2");
    let at = 13 + 4;
    other[at] = 200;
    assert_eq!(told(path, &other, false), Some(Code::ProtocolVersion.name().to_owned()));
    assert!(!echo.taken().contains(&"seven again".to_owned()));
    good.call(call(b"undisturbed")).unwrap();
    assert_eq!(echo.taken().last().unwrap(), "undisturbed");
}

#[test]
fn a_client_that_does_not_read_is_cut_off_and_others_go_on() {
    let root = tempfile::tempdir().unwrap();
    let given = ServerOptions {
        limits: ServerLimits {
            unread_bytes: usize::MAX,
            requests: usize::MAX,
            request_bytes: usize::MAX,
            ..limits()
        },
        ..options(root.path())
    };
    let _echo = Echo::start(given).unwrap();
    let good = client(root.path(), "T1").unwrap();
    let mut greedy = UnixStream::connect(socket_in(root.path())).unwrap();
    greedy.write_all(&hello("T2")).unwrap();
    let mut bytes = Vec::new();
    frame(&mut bytes, Kind::Call, 0, &[b'x'; 100_000]);
    let mut number = 1u64;
    loop {
        bytes[5..13].copy_from_slice(&number.to_le_bytes());
        number += 1;
        // It ends when the service has cut it off, and not before the bound.
        if greedy.write_all(&bytes).is_err() {
            break;
        }
    }
    assert!(number > 20, "{number}");
    good.call(call(b"undisturbed")).unwrap();
}

#[test]
fn a_client_with_too_much_under_way_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let given =
        ServerOptions { limits: ServerLimits { requests: 8, ..limits() }, ..options(root.path()) };
    let echo = Echo::start(given).unwrap();
    let client = client(root.path(), "T1").unwrap();
    echo.is_mute.store(true, Ordering::SeqCst);
    let large = vec![b'x'; 90_000];
    client.post(&[call(&large); 40]).unwrap();
    while echo.taken().is_empty() {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(100));
    // One read brings less than one of them, so no more than the limit is taken.
    assert!(echo.taken().len() <= 8, "{}", echo.taken().len());
}

#[test]
fn a_second_server_is_refused_and_a_dead_ones_socket_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let first = Echo::start(options(root.path())).unwrap();
    let Err(refused) = Echo::start(options(root.path())) else { panic!("two servers") };
    assert_eq!(refused.code(), Code::ServiceInUse);
    assert_eq!(refused.facts()["pid"], std::process::id());
    let socket = socket_in(root.path());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    drop(first);
    assert!(!socket.exists());
    assert_eq!(client(root.path(), "T1").unwrap_err().code(), Code::ServiceDown);
    // What a killed server leaves: a socket at which nobody listens.
    drop(UnixListener::bind(&socket).unwrap());
    assert!(std::fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(client(root.path(), "T1").unwrap_err().code(), Code::ServiceDown);
    let second = Echo::start(options(root.path())).unwrap();
    client(root.path(), "T1").unwrap().call(call(b"served")).unwrap();
    drop(second);
    // Anything else there is somebody's, and stays.
    std::fs::write(&socket, b"notes").unwrap();
    let Err(refused) = Echo::start(options(root.path())) else { panic!("a file was removed") };
    assert_eq!(refused.code(), Code::BadArgument);
    assert_eq!(std::fs::read(&socket).unwrap(), b"notes");
}

#[test]
fn a_path_that_no_socket_can_have_is_refused_by_both_ends() {
    let root = tempfile::tempdir().unwrap();
    let long = root.path().join("d".repeat(SOCKET_PATH_BYTES_MAX));
    let Err(refused) = Echo::start(options(&long)) else { panic!("it fits") };
    assert_eq!(refused.code(), Code::Limit);
    assert!(refused.message().contains("--socket"), "{refused}");
    assert!(!long.exists());
    assert_eq!(client(&long, "T1").unwrap_err().code(), Code::Limit);
}
