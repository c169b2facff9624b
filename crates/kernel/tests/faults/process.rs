//! Real processes: killed while they sell, with their terminal named by the environment, and moving
//! to another folder. A child is this test program again, told by `PK_CHILD` what it is to do.

use crate::support::{cash, line, long, sold};
use pos_kernel_core::sale::LineInput;
use pos_kernel_core::terminal::{Durability, History};
use pos_kernel_core::{Code, OpenOptions, Terminal};
use pos_kernel_wal::sim::Random;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ID: &str = "REGISTER_01";

fn options(root: &Path) -> OpenOptions {
    OpenOptions {
        root: Some(root.to_owned()),
        id: Some(ID.to_owned()),
        durability: Some(Durability::Sale),
        segment_bytes: Some(64 << 10),
        ..OpenOptions::default()
    }
}

pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "pk {text}").unwrap();
    out.flush().unwrap();
}

/// What a child does. As a test by itself it does nothing.
#[test]
fn child() {
    let Ok(role) = std::env::var("PK_CHILD") else { return };
    match role.as_str() {
        "sell" => sell_for_ever(),
        "name" => {
            let root = std::env::var_os("PK_ROOT").unwrap();
            let unnamed = OpenOptions { id: None, ..options(Path::new(&root)) };
            for _ in 0..2 {
                let terminal = Terminal::open(&unnamed).unwrap();
                say(terminal.id());
                terminal.close().unwrap();
            }
        }
        "move" => sell_on_the_move(),
        "store" => crate::store_process::sell_for_ever(),
        other => panic!("no such role: {other}"),
    }
}

fn sell_for_ever() {
    let root = std::env::var_os("PK_ROOT").unwrap();
    let terminal = Terminal::open(&options(Path::new(&root))).unwrap();
    let text = "x".repeat(100);
    for round in 0.. {
        let key = format!("{}-{round}", std::process::id());
        let wide = LineInput { text: Some(&text), ..line("A", "1", "100") };
        if round % 3 == 0 {
            let answer = terminal.sell(&sold(Some(&key), &[wide; 3], &[cash(500)]), Some(&key));
            let receipt = terminal.settle(answer.unwrap()).unwrap();
            say(&format!("receipt {} {key}", receipt.number));
            continue;
        }
        let sale = terminal.begin("S", "EUR", Some(&key), None).unwrap().value.sale;
        say(&format!("sale {sale} 0"));
        for count in 1..=4 {
            let added = terminal.add_line(sale, &wide, None).unwrap();
            assert!(!added.wait, "it is with the operating system");
            say(&format!("sale {sale} {count}"));
        }
        terminal.tender(sale, &cash(400), None).unwrap();
        let done = terminal.complete(sale, Some(&key)).unwrap();
        let receipt = terminal.settle(done).unwrap();
        say(&format!("receipt {} {key}", receipt.number));
    }
}

fn sell_on_the_move() {
    let mut relative = options(Path::new("till"));
    relative.background = false;
    let terminal = Terminal::open(&relative).unwrap();
    let text = "x".repeat(200);
    let wide = LineInput { text: Some(&text), ..line("A", "1", "100") };
    std::fs::create_dir("elsewhere").unwrap();
    std::env::set_current_dir("elsewhere").unwrap();
    while terminal.status().unwrap().position.segment < 3 {
        let answer = terminal.sell(&sold(None, &[wide; 9], &[cash(900)]), None).unwrap();
        terminal.settle(answer).unwrap();
    }
    let receipts = terminal.status().unwrap().next_receipt - 1;
    assert_eq!(terminal.receipt(receipts).unwrap().number, receipts);
    terminal.close().unwrap();
    assert_eq!(std::fs::read_dir(".").unwrap().count(), 0, "nothing was made here");
    say(&format!("receipts {receipts}"));
}

pub(crate) fn spawn(role: &str, root: &Path, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::child", "--nocapture", "--test-threads=1"])
        .env("PK_CHILD", role)
        .env("PK_ROOT", root)
        .env("POS_TERMINAL_ID", "FROM_ENVIRONMENT")
        .current_dir(dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a child says. The pipe stays open as long as this does.
pub(crate) fn listen(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The test program's own words stand before the first of ours, on the same line.
    said.filter_map(|line| line.split_once("pk ").map(|(_, said)| said.to_owned()))
}

#[test]
fn a_process_killed_at_any_moment_loses_nothing_that_it_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let mut random = Random::new(11);
    let rounds = if long() { 300 } else { 12 };
    let (mut receipts, mut came_back, mut cuts) = (0, 0, 0);
    for round in 0..rounds {
        let mut child = spawn("sell", root.path(), root.path());
        let mut words = listen(&mut child);
        let mut said: Vec<String> = words.by_ref().take(1 + random.below(120)).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before the signal came.
        said.extend(words);
        let terminal = Terminal::open(&options(root.path())).unwrap();
        assert!(!terminal.recovery().clean, "round {round}");
        cuts += u32::from(terminal.recovery().cut.is_some());
        for line in &said {
            let words: Vec<&str> = line.split(' ').collect();
            let number: u64 = words[1].parse().unwrap();
            match words[0] {
                "receipt" => {
                    let receipt = terminal.receipt(number).unwrap();
                    assert_eq!(receipt.key.as_deref(), Some(words[2]), "round {round}");
                    receipts += 1;
                }
                _ => {
                    let lines: usize = words[2].parse().unwrap();
                    if let Ok(sale) = terminal.sale(number) {
                        assert!(sale.lines.len() >= lines, "round {round}: {line}");
                    } else {
                        // Over, and so not open any more.
                        let error = terminal.totals(number).unwrap_err();
                        assert_eq!(error.code(), Code::AlreadyFinal, "round {round}: {line}");
                    }
                }
            }
        }
        for sale in terminal.open_sales().unwrap() {
            assert!(sale.recovered);
            came_back += 1;
            let due = sale.totals().due;
            if due > 0 {
                terminal.tender(sale.number, &cash(due), None).unwrap();
            }
            match sale.lines.len() {
                0 => drop(terminal.void_sale(sale.number, "empty", None).unwrap()),
                _ => drop(terminal.complete(sale.number, None).unwrap()),
            }
        }
        if round % 2 == 0 {
            terminal.close().unwrap();
        }
    }
    let terminal = Terminal::open(&options(root.path())).unwrap();
    let last = terminal.status().unwrap().next_receipt - 1;
    let mut keys = std::collections::HashSet::new();
    let mut numbers = Vec::new();
    terminal
        .history()
        .each_receipt(|receipt| {
            numbers.push(receipt.number);
            assert!(receipt.key.is_none_or(|key| keys.insert(key)), "a sale is doubled");
        })
        .unwrap();
    assert!(numbers.iter().copied().eq(1..=last), "no gap and no repeat");
    let history = History::of_terminal(terminal.dir());
    let report = pos_kernel_core::journal::verify_terminal(&history, None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, []);
    println!(
        "kills={rounds} torn tails={cuts} receipts acknowledged={receipts} missing=0 sales that \
         came back={came_back} receipts in all={last}"
    );
}

#[test]
fn a_terminal_named_by_the_environment_opens() {
    let root = tempfile::tempdir().unwrap();
    let mut child = spawn("name", root.path(), root.path());
    assert_eq!(listen(&mut child).collect::<Vec<_>>(), ["FROM_ENVIRONMENT"; 2]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_process_that_changes_its_folder_keeps_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn("move", dir.path(), dir.path());
    let said: Vec<String> = listen(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    let terminal = Terminal::open(&options(&dir.path().join("till"))).unwrap();
    assert!(terminal.recovery().clean);
    let receipts = terminal.status().unwrap().next_receipt - 1;
    assert_eq!(said, [format!("receipts {receipts}")]);
}
