//! Every file of the PLA set, in every heuristic mode: equivalent by a checker that is not the
//! minimiser, never more products than the reference has, and no worse in sum than was reached.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pos_kernel_espresso::{Minimizer, Mode, Pla};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pla")
}

/// Column of REFERENCE.tsv by file; a file without a number there is left out.
fn reference(column: &str) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(folder().join("REFERENCE.tsv")).expect("the reference");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let at = header.iter().position(|name| *name == column).expect("a known column");
    lines
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Some((cells[0].to_owned(), cells[at].parse().ok()?))
        })
        .collect()
}

fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "pla"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a readable file"))
        })
        .filter(|(name, _)| !name.starts_with("fmt_"))
        .collect();
    files.sort();
    files
}

/// Minimises all files; checks each; gives the products by file.
fn run(mode: Mode) -> BTreeMap<String, usize> {
    let files = files();
    assert_eq!(files.len(), 123);
    files
        .into_iter()
        .map(|(name, text)| {
            let pla = Pla::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
            let minimizer = Minimizer::new(&pla.layout).mode(mode);
            let answer = pla.minimize(&minimizer).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!answer.stopped_early, "{name}");
            assert!(answer.lower_bound <= answer.cost.products, "{name}");
            let written = pla.text(&answer.f, None, None);
            support::check(&support::read(&text), &support::read(&written))
                .unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            (name, answer.cost.products)
        })
        .collect()
}

/// Products against one column of the reference: sums over the files that have a number there.
fn sums(products: &BTreeMap<String, usize>, column: &str) -> (usize, usize) {
    let reference = reference(column);
    products
        .iter()
        .filter_map(|(name, ours)| Some((*ours, *reference.get(name)?)))
        .fold((0, 0), |sum, (ours, theirs)| (sum.0 + ours, sum.1 + theirs))
}

#[test]
fn normal_answers_are_right_and_never_larger_than_the_reference() {
    let products = run(Mode::Normal);
    let reference = reference("heur_c");
    for (name, ours) in &products {
        if let Some(theirs) = reference.get(name) {
            assert!(ours <= theirs, "{name}: {ours} products, the reference has {theirs}");
        }
    }
    assert_eq!(products["o64.pla"], 65);
    let (ours, theirs) = sums(&products, "heur_c");
    assert!(ours * 1000 <= theirs * 986, "{ours} products, the reference has {theirs}");
}

#[test]
fn fast_answers_are_right_and_not_larger_in_sum() {
    let (ours, theirs) = sums(&run(Mode::Fast), "fast_c");
    assert!(ours <= theirs, "{ours} products, the reference has {theirs}");
}
