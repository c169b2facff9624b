//! Two processes that send to each other are killed at any moment, over and over. Afterwards every
//! message whose sending was acknowledged stands in its receiver's journal, and none stands there
//! twice. `POS_KERNEL_FAULT=long` kills a thousand times.

use crate::{files, inbox, note, open, options, support};
use pos_kernel_core::Terminal;
use pos_kernel_core::journal::{Fact, verify_terminal};
use pos_kernel_wal::sim::Random;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a child does. As a test by itself it does nothing.
#[test]
fn child() {
    let Ok(id) = std::env::var("PK_MESSENGER") else { return };
    let root = std::env::var_os("PK_ROOT").unwrap();
    let terminal = Terminal::open(&options(Path::new(&root), &id)).unwrap();
    let peers = ["T1", "T2", "T3"].into_iter().filter(|peer| *peer != id);
    let peers: Vec<&str> = peers.collect();
    for round in 0_u64.. {
        let body = json!({"round": round});
        if round % 5 == 0 {
            let sent = terminal.broadcast(note(body)).unwrap();
            say(&sent.message.id, &sent.sent.join(","));
        } else {
            let to = peers[usize::try_from(round).unwrap() % peers.len()];
            say(&terminal.send(to, note(body)).unwrap().id, to);
        }
        let waiting = terminal.receive(64).unwrap();
        let ids: Vec<&str> = waiting.iter().map(|message| &*message.id).collect();
        terminal.accept(&ids).unwrap();
    }
}

fn say(id: &str, to: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "pk {id} {to}").unwrap();
    out.flush().unwrap();
}

type Acknowledged = Arc<Mutex<Vec<(String, String)>>>;

/// A process, and the thread that reads what it says.
struct Running(Child, JoinHandle<()>);

impl Running {
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        self.1.join().unwrap();
    }
}

fn start(root: &Path, id: &str, acknowledged: &Acknowledged) -> Running {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kills::child", "--exact", "--nocapture"])
        .env("PK_MESSENGER", id)
        .env("PK_ROOT", root)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let acknowledged = acknowledged.clone();
    let reader = std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let Some((id, to)) = line.split_once("pk ").and_then(|it| it.1.split_once(' ')) else {
                continue;
            };
            let to = to.split(',').filter(|to| !to.is_empty());
            acknowledged.lock().unwrap().extend(to.map(|to| (id.to_owned(), to.to_owned())));
        }
    });
    Running(child, reader)
}

#[test]
fn no_kill_loses_or_doubles_a_message() {
    let kills = if support::long() { 1_000 } else { 12 };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let ids = ["T1", "T2", "T3"];
    // Each knows the others from the beginning.
    ids.iter().for_each(|id| open(root, id).close().unwrap());
    let acknowledged = Acknowledged::default();
    let mut children: Vec<Running> = ids.iter().map(|id| start(root, id, &acknowledged)).collect();
    let mut random = Random::new(std::process::id().into());
    for kill in 0..kills {
        let before = acknowledged.lock().unwrap().len();
        let more = random.below(12);
        while acknowledged.lock().unwrap().len() < before + more {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(random.below(4_000) as u64));
        let victim = random.below(3);
        children.swap_remove(victim).kill();
        children.push(start(root, ids[victim], &acknowledged));
        let last = children.len() - 1;
        children.swap(victim, last);
        if kill % 100 == 99 {
            eprintln!("{} kills, {} acknowledged", kill + 1, acknowledged.lock().unwrap().len());
        }
    }
    children.into_iter().for_each(Running::kill);
    let terminals: Vec<Terminal> = ids.iter().map(|id| open(root, id)).collect();
    let mut received: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut stuck = 0;
    for terminal in &terminals {
        while !crate::receive_all(terminal).is_empty() {}
        stuck += files(&inbox(root, terminal.id(), "new")).len();
        stuck += files(&inbox(root, terminal.id(), "dead")).len();
        let last = terminal.status().unwrap().position.sequence;
        terminal.close().unwrap();
        for sequence in 1..=last {
            let recorded = terminal.history().record(sequence);
            if let Ok(Fact::MessageReceived(fact)) = recorded.map(|recorded| recorded.fact) {
                *received.entry((fact.id, terminal.id().to_owned())).or_default() += 1;
            }
        }
        let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
        assert_eq!(report.problem_count, 0, "{:?}", report.problems);
    }
    let acknowledged = acknowledged.lock().unwrap();
    let lost = acknowledged.iter().filter(|sent| !received.contains_key(sent)).count();
    let doubled = received.values().filter(|count| **count > 1).count();
    println!(
        "{kills} kills, {} acknowledged, {} received: {lost} lost, {doubled} doubled, {stuck} stuck",
        acknowledged.len(),
        received.len()
    );
    assert!(!acknowledged.is_empty());
    assert_eq!((lost, doubled, stuck), (0, 0, 0));
}
