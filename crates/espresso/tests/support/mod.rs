//! A checker of its own: reads a PLA by the letter of the format and compares functions by taking
//! cubes apart (the disjoint sharp product). It shares no code and no method with the minimiser:
//! one list of rows for each output, no unate recursion, no complement.

/// One row of one output: the values that each input allows, as bits.
pub(crate) type Row = Vec<u64>;

pub(crate) struct Table {
    /// Number of values of each input; 2 for a binary one.
    pub(crate) sizes: Vec<usize>,
    /// Number of binary inputs; they come first.
    pub(crate) binaries: usize,
    pub(crate) kind: String,
    pub(crate) on: Vec<Vec<Row>>,
    pub(crate) dc: Vec<Vec<Row>>,
    pub(crate) off: Vec<Vec<Row>>,
}

/// Reads a file that uses `.i .o .mv .type` and rows; names, counts and titles are passed over.
pub(crate) fn read(text: &str) -> Table {
    let (mut binaries, mut valued, mut outputs) = (0, Vec::new(), 0);
    let mut kind = String::from("fd");
    let mut columns: Vec<char> = Vec::new();
    let mut names_left = 0;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<usize>().expect("a number");
        match words.first().copied() {
            None => {}
            Some(".i") => binaries = number(1),
            Some(".o") => outputs = number(1),
            Some(".mv") => {
                binaries = number(2);
                valued = (3..words.len() - 1).map(number).collect();
                outputs = number(words.len() - 1);
            }
            Some(".type") => kind = words[1].to_owned(),
            Some(".e" | ".end") => break,
            Some(".ilb") => names_left = binaries.saturating_sub(words.len() - 1),
            Some(".ob") => names_left = outputs.saturating_sub(words.len() - 1),
            Some(word) if word.starts_with('.') => {}
            Some(_) if outputs == 0 => {}
            Some(_) if names_left > 0 => names_left = names_left.saturating_sub(words.len()),
            Some(_) => columns.extend(line.chars().filter(|c| !c.is_whitespace() && *c != '|')),
        }
    }
    let mut sizes = vec![2; binaries];
    sizes.extend(&valued);
    let none = || vec![Vec::new(); outputs];
    let mut table = Table { sizes, binaries, kind, on: none(), dc: none(), off: none() };
    let width = binaries + valued.iter().sum::<usize>() + outputs;
    assert_eq!(columns.len() % width, 0, "whole rows");
    for columns in columns.chunks_exact(width) {
        let mut row: Row = columns[..binaries]
            .iter()
            .map(|c| match c {
                '0' => 1,
                '1' => 2,
                '-' | '2' => 3,
                other => panic!("{other} as an input"),
            })
            .collect();
        let mut at = binaries;
        for &size in &valued {
            row.push((0..size).map(|v| u64::from(columns[at + v] == '1') << v).sum());
            at += size;
        }
        for (output, symbol) in columns[at..].iter().enumerate() {
            let lists = match symbol {
                '1' | '4' if table.kind.contains('f') => &mut table.on,
                '-' | '2' if table.kind.contains('d') => &mut table.dc,
                '0' if table.kind.contains('r') => &mut table.off,
                _ => continue,
            };
            lists[output].push(row.clone());
        }
    }
    table
}

fn meet(a: &Row, b: &Row) -> bool {
    a.iter().zip(b).all(|(a, b)| a & b != 0)
}

/// Whether every point of the row is in one of the others.
pub(crate) fn covered(row: &Row, by: &[&Row]) -> bool {
    let near: Vec<&Row> = by.iter().copied().filter(|other| meet(row, other)).collect();
    // The row that leaves the fewest pieces goes first.
    let leaves = |other: &Row| row.iter().zip(other).filter(|(a, b)| **a & !**b != 0).count();
    let Some(best) = (0..near.len()).min_by_key(|&index| leaves(near[index])) else {
        return false;
    };
    let taken = near[best];
    let rest: Vec<&Row> = near.iter().copied().filter(|other| *other != taken).collect();
    let mut left = row.clone();
    for at in 0..left.len() {
        let outside = left[at] & !taken[at];
        if outside != 0 {
            let mut piece = left.clone();
            piece[at] = outside;
            if !covered(&piece, &rest) {
                return false;
            }
            left[at] &= taken[at];
        }
    }
    true
}

/// Whether `answer` (a table that lists ON rows) is a right answer to `question`; else where not.
pub(crate) fn check(question: &Table, answer: &Table) -> Result<(), String> {
    assert_eq!((question.binaries, &question.sizes), (answer.binaries, &answer.sizes));
    for output in 0..question.on.len() {
        let [on, dc, off] = [&question.on, &question.dc, &question.off].map(|set| &set[output]);
        let given = &answer.on[output];
        let allowed: Vec<&Row> = given.iter().chain(dc).collect();
        if let Some(lost) = on.iter().position(|row| !covered(row, &allowed)) {
            return Err(format!("output {output}: ON row {lost} is not covered"));
        }
        let listed_off = question.kind.contains('r');
        let inside: Vec<&Row> = on.iter().chain(dc).collect();
        for (index, row) in given.iter().enumerate() {
            let right = if listed_off {
                !off.iter().any(|off| meet(row, off))
            } else {
                covered(row, &inside)
            };
            if !right {
                return Err(format!("output {output}: product {index} holds an OFF point"));
            }
        }
    }
    Ok(())
}
