//! Reads PLA text: keywords by line, rows by character.
//!
//! A comment runs from `#` to the end of its line. A row may span lines and may have blanks and `|`
//! between its columns. Before the sizes are known, a line that is neither keyword nor comment is
//! taken for a title and noted; afterwards it is a row. A word list after `.ilb`, `.ob` or `.label`
//! may go on in the next lines as long as these cannot be rows.

use std::sync::Arc;

use super::{Kind, Pla, PlaError, PlaProblem};
use crate::cover::Cover;
use crate::cube;
use crate::layout::{Layout, PARTS_MAX, VARIABLES_MAX};

/// Memory that the rows of one file may take.
pub(super) const ROWS_BYTES_MAX: usize = 1 << 28;

impl Pla {
    /// Reads the first function of a text.
    ///
    /// # Errors
    /// [`PlaError`] with line and column.
    pub fn parse(text: &[u8]) -> Result<Pla, PlaError> {
        let mut reader = Reader::new(text);
        let pla = reader.function()?;
        Ok(pla)
    }

    /// Reads a text of one function.
    ///
    /// # Errors
    /// [`PlaError`] with line and column; [`PlaProblem::SecondFunction`] when there is more.
    pub fn parse_only(text: &[u8]) -> Result<Pla, PlaError> {
        let mut reader = Reader::new(text);
        let pla = reader.function()?;
        match reader.next_text() {
            None => Ok(pla),
            Some(column) => Err(reader.error(column, PlaProblem::SecondFunction)),
        }
    }

    /// Reads all functions of a text, each ended by `.e` or `.end`; the last may lack it.
    ///
    /// # Errors
    /// [`PlaError`] with line and column.
    pub fn parse_all(text: &[u8]) -> Result<Vec<Pla>, PlaError> {
        let mut reader = Reader::new(text);
        let mut all = vec![reader.function()?];
        while reader.more() {
            all.push(reader.function()?);
        }
        Ok(all)
    }
}

/// A word of a line, and where it stands.
#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t [u8],
    column: usize,
}

impl Word<'_> {
    fn string(&self) -> String {
        String::from_utf8_lossy(self.text).into_owned()
    }
}

struct Reader<'t> {
    lines: Vec<&'t [u8]>,
    at: usize,
}

/// What the header said so far.
#[derive(Default)]
struct Header {
    inputs: Option<usize>,
    outputs: Option<usize>,
    /// Sizes of multi-valued inputs; negative ones are symbolic.
    valued: Option<(usize, Vec<i64>)>,
    kind: Option<Kind>,
    phase: Option<Vec<bool>>,
    input_names: Vec<String>,
    output_names: Vec<String>,
    value_names: Vec<(usize, Vec<String>)>,
    symbolic: Vec<Symbolic>,
    products: Option<usize>,
    notes: Vec<String>,
}

/// Binary columns that are read as one multi-valued variable.
struct Symbolic {
    columns: Vec<usize>,
    names: Vec<String>,
}

impl Header {
    /// Binary columns and multi-valued sizes of a row, once known.
    fn shape(&self) -> Option<(usize, Vec<i64>, usize)> {
        match (&self.valued, self.inputs, self.outputs) {
            (Some((binaries, sizes)), _, Some(outputs)) => {
                Some((*binaries, sizes.clone(), outputs))
            }
            (None, Some(inputs), Some(outputs)) => Some((inputs, Vec::new(), outputs)),
            _ => None,
        }
    }
}

/// Rows under construction.
struct Rows {
    /// As the rows are written, before `.symbolic`.
    written: Arc<Layout>,
    kind: Kind,
    on: Cover,
    dc: Cover,
    off: Cover,
    on_lines: Vec<u32>,
    off_lines: Vec<u32>,
    /// For each symbolic multi-valued variable (by its place among the valued) the names so far.
    collected: Vec<Option<Vec<String>>>,
    /// The row being read: bits so far, variable, part.
    row: Vec<u64>,
    variable: usize,
    part: usize,
    on_row: Vec<u64>,
    dc_row: Vec<u64>,
    off_row: Vec<u64>,
    first_line: usize,
    count: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8]) -> Reader<'t> {
        let lines = text
            .split(|&b| b == b'\n')
            .map(|line| {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let end = line.iter().position(|&b| b == b'#').unwrap_or(line.len());
                &line[..end]
            })
            .collect();
        Reader { lines, at: 0 }
    }

    /// Whether anything but blanks is left.
    fn more(&self) -> bool {
        self.lines[self.at.min(self.lines.len())..]
            .iter()
            .any(|line| line.iter().any(|b| !b.is_ascii_whitespace()))
    }

    /// Goes to the next line that holds anything but blanks: the column where it does.
    fn next_text(&mut self) -> Option<usize> {
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            if let Some(at) = line.iter().position(|b| !b.is_ascii_whitespace()) {
                return Some(at + 1);
            }
        }
        None
    }

    fn error(&self, column: usize, problem: PlaProblem) -> PlaError {
        PlaError { line: self.at, column, problem }
    }

    fn function(&mut self) -> Result<Pla, PlaError> {
        let mut header = Header::default();
        let mut rows: Option<Rows> = None;
        let mut ended = false;
        while !ended && self.at < self.lines.len() {
            let line = self.lines[self.at];
            self.at += 1;
            let words = words(line);
            let Some(first) = words.first() else { continue };
            if first.text[0] == b'.' {
                if let Some(rows) = &rows
                    && rows.is_open()
                {
                    return Err(self.error(
                        first.column,
                        PlaProblem::Misplaced {
                            keyword: first.string(),
                            reason: "the row before it is not complete",
                        },
                    ));
                }
                ended = self.keyword(&words, &mut header, rows.is_some())?;
                continue;
            }
            let Some(shape) = header.shape() else {
                header.notes.push(format!(
                    "line {}: taken for a title: {}",
                    self.at,
                    String::from_utf8_lossy(line).trim()
                ));
                continue;
            };
            if rows.is_none() {
                rows = Some(self.begin_rows(&shape, &header)?);
            }
            let target = rows.as_mut().expect("set just above");
            self.row_line(line, target)?;
        }
        self.finish(header, rows)
    }

    fn begin_rows(
        &self,
        shape: &(usize, Vec<i64>, usize),
        header: &Header,
    ) -> Result<Rows, PlaError> {
        let (binaries, sizes, outputs) = shape;
        let valued: Vec<usize> = sizes.iter().map(|s| s.unsigned_abs() as usize).collect();
        let written = Layout::new(*binaries, &valued, *outputs)
            .map_err(|error| self.error(1, PlaProblem::Layout(error)))?;
        let written = Arc::new(written);
        let words = written.words();
        let collected = sizes.iter().map(|&size| (size < 0).then(Vec::new)).collect();
        Ok(Rows {
            kind: header.kind.unwrap_or(Kind::FD),
            on: Cover::empty(&written),
            dc: Cover::empty(&written),
            off: Cover::empty(&written),
            written,
            on_lines: Vec::new(),
            off_lines: Vec::new(),
            collected,
            row: vec![0; words],
            variable: 0,
            part: 0,
            on_row: vec![0; words],
            dc_row: vec![0; words],
            off_row: vec![0; words],
            first_line: 0,
            count: 0,
        })
    }

    fn row_line(&self, line: &[u8], rows: &mut Rows) -> Result<(), PlaError> {
        let mut at = 0;
        while at < line.len() {
            let byte = line[at];
            if byte.is_ascii_whitespace() || byte == b'|' {
                at += 1;
                continue;
            }
            if rows.variable == 0 && rows.part == 0 {
                rows.first_line = self.at;
            }
            if rows.at_symbolic() {
                let end = line[at..]
                    .iter()
                    .position(|b| b.is_ascii_whitespace() || *b == b'|')
                    .map_or(line.len(), |length| at + length);
                rows.symbol(&line[at..end]).map_err(|problem| self.error(at + 1, problem))?;
                at = end;
            } else {
                let complete =
                    rows.character(byte).map_err(|problem| self.error(at + 1, problem))?;
                at += 1;
                if complete {
                    rows.close().map_err(|problem| self.error(at, problem))?;
                }
            }
        }
        Ok(())
    }

    /// Handles one keyword line; whether it ends the function.
    fn keyword(
        &mut self,
        words: &[Word<'_>],
        header: &mut Header,
        has_rows: bool,
    ) -> Result<bool, PlaError> {
        let (first, rest) = words.split_first().expect("a keyword line has a word");
        let keyword = first.string();
        let misplaced = |reader: &Self, reason: &'static str| {
            reader.error(first.column, PlaProblem::Misplaced { keyword: keyword.clone(), reason })
        };
        let needs_before_rows = !matches!(keyword.as_str(), ".e" | ".end" | ".p");
        if has_rows && needs_before_rows {
            return Err(misplaced(self, "it must come before the first row"));
        }
        match keyword.as_str() {
            ".e" | ".end" => return Ok(true),
            ".i" => {
                if header.inputs.is_some() || header.valued.is_some() {
                    return Err(misplaced(self, "the inputs are already given"));
                }
                let most = VARIABLES_MAX as i64 - 2;
                header.inputs =
                    Some(self.number(first, rest, 0, "the number of inputs", 0, most)?);
            }
            ".o" => {
                if header.outputs.is_some() {
                    return Err(misplaced(self, "the outputs are already given"));
                }
                let most = PARTS_MAX as i64;
                header.outputs =
                    Some(self.number(first, rest, 0, "the number of outputs", 1, most)?);
            }
            ".mv" => self.multi_valued(first, rest, header)?,
            ".p" => {
                let count = self.number(first, rest, 0, "the number of rows", 0, i64::MAX)?;
                header.products = Some(count);
            }
            ".type" => {
                let [name] = rest else { return Err(self.wrong_count(first, 1, rest.len())) };
                let kind = Kind::parse(&name.string()).ok_or_else(|| {
                    self.error(
                        name.column,
                        PlaProblem::BadName {
                            what: "the type",
                            name: name.string(),
                            reason: "is none of f, r, d, fd, fr, dr, fdr",
                        },
                    )
                })?;
                header.kind = Some(kind);
            }
            ".phase" => {
                let Some((_, _, outputs)) = header.shape() else {
                    return Err(misplaced(self, "the outputs are not given yet"));
                };
                let [bits] = rest else { return Err(self.wrong_count(first, 1, rest.len())) };
                if bits.text.len() != outputs {
                    return Err(self.wrong_count(first, outputs, bits.text.len()));
                }
                let mut phase = Vec::with_capacity(outputs);
                for (offset, &bit) in bits.text.iter().enumerate() {
                    if bit != b'0' && bit != b'1' {
                        let problem =
                            PlaProblem::BadCharacter { found: bit.into(), field: "a phase" };
                        return Err(self.error(bits.column + offset, problem));
                    }
                    phase.push(bit == b'1');
                }
                header.phase = Some(phase);
            }
            ".ilb" => {
                let Some((binaries, ..)) = header.shape() else {
                    return Err(misplaced(self, "the sizes are not given yet"));
                };
                header.input_names = self.names(first, rest, binaries, "the input")?;
            }
            ".ob" => {
                let Some((_, _, outputs)) = header.shape() else {
                    return Err(misplaced(self, "the sizes are not given yet"));
                };
                header.output_names = self.names(first, rest, outputs, "the output")?;
            }
            ".label" => self.labels(first, rest, header)?,
            ".symbolic" => self.symbolic(first, rest, header)?,
            _ => {
                return Err(self.error(first.column, PlaProblem::UnknownKeyword { keyword }));
            }
        }
        Ok(false)
    }

    fn wrong_count(&self, keyword: &Word<'_>, needed: usize, found: usize) -> PlaError {
        let keyword_name = keyword.string();
        let problem = PlaProblem::WrongCount { keyword: keyword_name, needed, found };
        self.error(keyword.column, problem)
    }

    /// The number at `index`, where a keyword has no other words than numbers.
    fn number(
        &self,
        keyword: &Word<'_>,
        rest: &[Word<'_>],
        index: usize,
        what: &'static str,
        least: i64,
        most: i64,
    ) -> Result<usize, PlaError> {
        if rest.len() != 1 {
            return Err(self.wrong_count(keyword, 1, rest.len()));
        }
        Ok(self.integer(&rest[index], what, least, most)?.unsigned_abs() as usize)
    }

    fn integer(
        &self,
        word: &Word<'_>,
        what: &'static str,
        least: i64,
        most: i64,
    ) -> Result<i64, PlaError> {
        std::str::from_utf8(word.text)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                let found = word.string();
                self.error(word.column, PlaProblem::BadNumber { what, least, most, found })
            })
    }

    /// `.mv variables binaries sizes... outputs`
    fn multi_valued(
        &self,
        first: &Word<'_>,
        rest: &[Word<'_>],
        header: &mut Header,
    ) -> Result<(), PlaError> {
        if header.inputs.is_some() || header.outputs.is_some() {
            let problem = PlaProblem::Misplaced {
                keyword: first.string(),
                reason: "the sizes are already given",
            };
            return Err(self.error(first.column, problem));
        }
        if rest.len() < 3 {
            return Err(self.wrong_count(first, 3, rest.len()));
        }
        let most = VARIABLES_MAX as i64;
        let variables =
            self.integer(&rest[0], "the number of variables", 1, most)?.unsigned_abs() as usize;
        let binaries = self
            .integer(&rest[1], "the number of binary variables", 0, most)?
            .unsigned_abs() as usize;
        if binaries >= variables {
            let problem = PlaProblem::BadNumber {
                what: "the number of binary variables",
                least: 0,
                most: variables as i64 - 1,
                found: rest[1].string(),
            };
            return Err(self.error(rest[1].column, problem));
        }
        if rest.len() != 2 + variables - binaries {
            return Err(self.wrong_count(first, 2 + variables - binaries, rest.len()));
        }
        let parts = PARTS_MAX as i64;
        let mut sizes = Vec::new();
        for word in &rest[2..rest.len() - 1] {
            let size = self.integer(word, "a size", -parts, parts)?;
            if size == 0 {
                let problem = PlaProblem::BadNumber {
                    what: "a size",
                    least: 1,
                    most: parts,
                    found: word.string(),
                };
                return Err(self.error(word.column, problem));
            }
            sizes.push(size);
        }
        let outputs = self.integer(&rest[rest.len() - 1], "the number of outputs", 1, parts)?;
        header.outputs = Some(outputs.unsigned_abs() as usize);
        header.valued = Some((binaries, sizes));
        Ok(())
    }

    /// Words of this line and of those after it that cannot be rows.
    fn names(
        &mut self,
        keyword: &Word<'_>,
        rest: &[Word<'_>],
        needed: usize,
        what: &'static str,
    ) -> Result<Vec<String>, PlaError> {
        let line = self.at;
        let mut names: Vec<String> = rest.iter().map(Word::string).collect();
        while names.len() < needed && self.at < self.lines.len() {
            let next = words(self.lines[self.at]);
            let goes_on = next.first().is_some_and(|w| w.text[0] != b'.')
                && next.iter().any(|w| w.text.iter().any(|b| !b"01234-~|".contains(b)));
            if !goes_on && !next.is_empty() {
                break;
            }
            self.at += 1;
            names.extend(next.iter().map(Word::string));
        }
        let place = |problem| PlaError { line, column: keyword.column, problem };
        if names.len() != needed {
            let found = names.len();
            let keyword = keyword.string();
            return Err(place(PlaProblem::WrongCount { keyword, needed, found }));
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = pair[0].clone();
            return Err(place(PlaProblem::BadName { what, name, reason: "is used twice" }));
        }
        Ok(names)
    }

    /// `.label var=n names...`
    fn labels(
        &mut self,
        first: &Word<'_>,
        rest: &[Word<'_>],
        header: &mut Header,
    ) -> Result<(), PlaError> {
        let Some((binaries, sizes, outputs)) = header.shape() else {
            let problem = PlaProblem::Misplaced {
                keyword: first.string(),
                reason: "the sizes are not given yet",
            };
            return Err(self.error(first.column, problem));
        };
        let Some((which, names)) = rest.split_first() else {
            return Err(self.wrong_count(first, 2, 0));
        };
        let most = (binaries + sizes.len()) as i64;
        let number = match which.text.strip_prefix(b"var=") {
            Some(text) => Word { text, column: which.column + 4 },
            None => Word { text: b"", column: which.column },
        };
        let variable =
            self.integer(&number, "the variable after var=", 0, most)?.unsigned_abs() as usize;
        let needed = if variable < binaries {
            2
        } else {
            sizes.get(variable - binaries).map_or(outputs, |s| s.unsigned_abs() as usize)
        };
        let names = self.names(first, names, needed, "the value")?;
        if variable == binaries + sizes.len() {
            header.output_names = names;
        } else {
            header.value_names.push((variable, names));
        }
        Ok(())
    }

    /// `.symbolic inputs... ; names... ;`
    fn symbolic(
        &self,
        first: &Word<'_>,
        rest: &[Word<'_>],
        header: &mut Header,
    ) -> Result<(), PlaError> {
        let mut parts: Vec<Vec<String>> = vec![Vec::new()];
        for word in rest {
            let text = word.string();
            for (index, piece) in text.split(';').enumerate() {
                if index > 0 {
                    parts.push(Vec::new());
                }
                if !piece.is_empty() {
                    parts.last_mut().expect("never empty").push(piece.to_owned());
                }
            }
        }
        let inputs = std::mem::take(&mut parts[0]);
        let names = parts.get(1).cloned().unwrap_or_default();
        if inputs.is_empty() || inputs.len() > 12 {
            return Err(self.wrong_count(first, 1, inputs.len()));
        }
        if names.len() > 1 << inputs.len() {
            return Err(self.wrong_count(first, 1 << inputs.len(), names.len()));
        }
        let mut columns = Vec::new();
        for name in inputs {
            let bad = |reason| {
                let what = "the input";
                self.error(first.column, PlaProblem::BadName { what, name: name.clone(), reason })
            };
            let column = header
                .input_names
                .iter()
                .position(|n| *n == name)
                .ok_or_else(|| bad("is not named by .ilb before"))?;
            let taken = header.symbolic.iter().any(|s| s.columns.contains(&column));
            if taken || columns.contains(&column) {
                return Err(bad("is joined twice"));
            }
            columns.push(column);
        }
        header.symbolic.push(Symbolic { columns, names });
        Ok(())
    }

    fn finish(&self, mut header: Header, rows: Option<Rows>) -> Result<Pla, PlaError> {
        let end = |missing| self.error(1, PlaProblem::Truncated { missing });
        let Some(shape) = header.shape() else {
            return Err(end("neither .i and .o nor .mv gave the sizes"));
        };
        let rows = match rows {
            Some(rows) => rows,
            None => self.begin_rows(&shape, &header)?,
        };
        if rows.is_open() {
            return Err(end("its last row is not complete"));
        }
        if let Some(products) = header.products
            && products != rows.count
        {
            header.notes.push(format!(".p says {products} rows, there are {}", rows.count));
        }
        let (binaries, ..) = shape;
        let valued_count = rows.written.inputs() - binaries;
        let mut value_names: Vec<Vec<String>> = vec![Vec::new(); valued_count];
        for (slot, collected) in rows.collected.iter().enumerate() {
            if let Some(names) = collected {
                let size = rows.written.variables()[binaries + slot].parts;
                value_names[slot] = names.clone();
                value_names[slot].extend((names.len()..size).map(|i| format!("value{i}")));
            }
        }
        for (variable, names) in &header.value_names {
            if *variable >= binaries {
                value_names[variable - binaries] = names.clone();
            }
        }
        let pla = Pla {
            layout: Arc::clone(&rows.written),
            kind: header.kind.unwrap_or(Kind::FD),
            on: rows.on,
            dc: rows.dc,
            off: rows.off,
            input_names: header.input_names,
            value_names,
            output_names: header.output_names,
            phase: header.phase,
            notes: header.notes,
            on_lines: rows.on_lines,
            off_lines: rows.off_lines,
        };
        if header.symbolic.is_empty() {
            return Ok(pla);
        }
        join_columns(pla, &header.symbolic)
            .map_err(|error| self.error(1, PlaProblem::Layout(error)))
    }
}

/// The blank-separated words of a line.
fn words(line: &[u8]) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < line.len() {
        if line[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let end = line[at..]
            .iter()
            .position(u8::is_ascii_whitespace)
            .map_or(line.len(), |length| at + length);
        words.push(Word { text: &line[at..end], column: at + 1 });
        at = end;
    }
    words
}

impl Rows {
    /// Whether a row has begun and is not complete.
    fn is_open(&self) -> bool {
        self.variable != 0 || self.part != 0
    }

    fn at_symbolic(&self) -> bool {
        let binaries = self.written.binaries();
        self.variable >= binaries
            && self.collected.get(self.variable - binaries).is_some_and(Option::is_some)
    }

    /// One column; whether it completes the row.
    fn character(&mut self, byte: u8) -> Result<bool, PlaProblem> {
        let layout = Arc::clone(&self.written);
        let variable = &layout.variables()[self.variable];
        let bad = |field| Err(PlaProblem::BadCharacter { found: byte.into(), field });
        if self.variable < layout.binaries() {
            let (zero, one) = match byte {
                b'0' => (true, false),
                b'1' => (false, true),
                b'-' | b'2' => (true, true),
                _ => return bad("a binary input (0, 1, - or 2)"),
            };
            if zero {
                cube::set_bit(&mut self.row, variable.first_bit);
            }
            if one {
                cube::set_bit(&mut self.row, variable.first_bit + 1);
            }
            self.variable += 1;
            return Ok(false);
        }
        let bit = variable.first_bit + self.part;
        if self.variable < layout.output_variable() {
            match byte {
                b'1' => cube::set_bit(&mut self.row, bit),
                b'0' => {}
                _ => return bad("a value of a multi-valued input (0 or 1)"),
            }
            self.part += 1;
            if self.part == variable.parts {
                if cube::parts_in(&layout, &self.row, self.variable) == 0 {
                    return Err(PlaProblem::EmptyField { variable: self.variable });
                }
                self.part = 0;
                self.variable += 1;
            }
            return Ok(false);
        }
        let target = match byte {
            b'1' | b'4' => self.kind.f.then_some(&mut self.on_row),
            b'0' => self.kind.r.then_some(&mut self.off_row),
            b'-' | b'2' => self.kind.d.then_some(&mut self.dc_row),
            b'~' | b'3' => None,
            _ => return bad("an output (0, 1, -, ~, 2, 3 or 4)"),
        };
        if let Some(target) = target {
            cube::set_bit(target, bit);
        }
        self.part += 1;
        Ok(self.part == variable.parts)
    }

    /// One word of a symbolic variable.
    fn symbol(&mut self, word: &[u8]) -> Result<(), PlaProblem> {
        let layout = Arc::clone(&self.written);
        let variable = &layout.variables()[self.variable];
        let slot = self.variable - layout.binaries();
        let names = self.collected[slot].as_mut().expect("asked before");
        if word == b"-" || word == b"ANY" {
            for part in 0..variable.parts {
                cube::set_bit(&mut self.row, variable.first_bit + part);
            }
        } else {
            let name = String::from_utf8_lossy(word).into_owned();
            let part = match names.iter().position(|n| *n == name) {
                Some(part) => part,
                None if names.len() < variable.parts => {
                    names.push(name);
                    names.len() - 1
                }
                None => {
                    return Err(PlaProblem::BadName {
                        what: "the value",
                        name,
                        reason: "is one more than the variable has values",
                    });
                }
            };
            cube::set_bit(&mut self.row, variable.first_bit + part);
        }
        self.variable += 1;
        Ok(())
    }

    /// Takes the complete row in.
    fn close(&mut self) -> Result<(), PlaProblem> {
        let line = self.first_line as u32;
        for (part, cover, lines) in [
            (&mut self.on_row, &mut self.on, Some(&mut self.on_lines)),
            (&mut self.dc_row, &mut self.dc, None),
            (&mut self.off_row, &mut self.off, Some(&mut self.off_lines)),
        ] {
            if part.iter().any(|w| *w != 0) {
                cube::or_into(part, &self.row);
                cover.push(part);
                if let Some(lines) = lines {
                    lines.push(line);
                }
                part.fill(0);
            }
        }
        self.row.fill(0);
        self.variable = 0;
        self.part = 0;
        self.count += 1;
        let words = self.on.words().len() + self.dc.words().len() + self.off.words().len();
        if words * 8 > ROWS_BYTES_MAX {
            return Err(PlaProblem::TooLarge { limit_bytes: ROWS_BYTES_MAX });
        }
        Ok(())
    }
}

/// Makes one multi-valued variable of each group of binary columns; it comes after the other inputs.
fn join_columns(pla: Pla, groups: &[Symbolic]) -> Result<Pla, crate::error::Error> {
    let old = Arc::clone(&pla.layout);
    let joined = |column: usize| groups.iter().any(|g| g.columns.contains(&column));
    let kept: Vec<usize> = (0..old.binaries()).filter(|&c| !joined(c)).collect();
    let mut valued = old.valued();
    valued.extend(groups.iter().map(|g| 1usize << g.columns.len()));
    let layout = Arc::new(Layout::new(kept.len(), &valued, old.outputs())?);
    let convert = |cover: &Cover| {
        let mut converted = Cover::empty(&layout);
        for c in cover.cubes() {
            let mut fields = vec![0; layout.words()];
            let mut copy = |from: usize, to: usize| {
                for part in 0..layout.variables()[to].parts {
                    if cube::has_bit(c, old.bit(from, part)) {
                        cube::set_bit(&mut fields, layout.bit(to, part));
                    }
                }
            };
            for (to, &from) in kept.iter().enumerate() {
                copy(from, to);
            }
            for slot in 0..old.inputs() - old.binaries() {
                copy(old.binaries() + slot, kept.len() + slot);
            }
            copy(old.output_variable(), layout.output_variable());
            for (slot, group) in groups.iter().enumerate() {
                let variable = kept.len() + old.inputs() - old.binaries() + slot;
                // The first column named is the most significant bit of the value.
                let width = group.columns.len();
                for value in 0..1usize << width {
                    let allowed = group.columns.iter().enumerate().all(|(place, &column)| {
                        cube::has_bit(c, old.bit(column, value >> (width - 1 - place) & 1))
                    });
                    if allowed {
                        cube::set_bit(&mut fields, layout.bit(variable, value));
                    }
                }
            }
            converted.push(&fields);
        }
        converted
    };
    let (on, dc, off) = (convert(&pla.on), convert(&pla.dc), convert(&pla.off));
    let mut value_names = pla.value_names;
    for group in groups {
        let mut names = group.names.clone();
        if !names.is_empty() {
            names.extend((names.len()..1 << group.columns.len()).map(|i| format!("value{i}")));
        }
        value_names.push(names);
    }
    let input_names = kept.iter().filter_map(|&c| pla.input_names.get(c).cloned()).collect();
    Ok(Pla { layout, on, dc, off, value_names, input_names, ..pla })
}
