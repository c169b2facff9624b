//! PLA files: the text form of a function, as Espresso reads and writes it.
//!
//! ```text
//!   .i 3                three binary inputs         .mv 4 1 7 4 3   or: 4 variables, 1 binary, the
//!   .o 2                two outputs                                 others of 7 and 4 values, 3 outputs
//!   .ilb a b c          names                       .label var=1 mon tue wed thu fri sat sun
//!   .type fd            which of ON (f), DC (d), OFF (r) the rows list
//!   0-1 1-              a row: inputs, then one column per output
//!   .e
//! ```
//!
//! The promise guarded here: **no row is lost without a word.** A label count that does not match,
//! a row that is too short or too long, a column that means nothing: each is an error with its line
//! and column. `read.rs` reads, `write.rs` writes.

mod read;
mod write;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thiserror::Error as ThisError;

use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;
use crate::error::Error;
use crate::layout::Layout;
use crate::minimizer::{Minimizer, Solution};
use crate::recurse::Stack;

/// Which of the three sets the rows of a file list; the others follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Rows list the ON-set.
    pub f: bool,
    /// Rows list don't-cares.
    pub d: bool,
    /// Rows list the OFF-set.
    pub r: bool,
}

impl Kind {
    /// What a file is when it does not say: ON and don't-cares.
    pub const FD: Kind = Kind { f: true, d: true, r: false };

    /// Reads a name such as `fdr`.
    pub fn parse(name: &str) -> Option<Kind> {
        let (f, d, r) = match name {
            "f" => (true, false, false),
            "d" => (false, true, false),
            "r" => (false, false, true),
            "fd" => (true, true, false),
            "fr" => (true, false, true),
            "dr" => (false, true, true),
            "fdr" => (true, true, true),
            _ => return None,
        };
        Some(Kind { f, d, r })
    }

    /// The name as a file has it.
    pub fn name(self) -> &'static str {
        match (self.f, self.d, self.r) {
            (true, false, false) => "f",
            (false, true, false) => "d",
            (false, false, true) => "r",
            (true, true, false) => "fd",
            (true, false, true) => "fr",
            (false, true, true) => "dr",
            (true, true, true) => "fdr",
            (false, false, false) => "none",
        }
    }
}

/// Why a text is not a PLA.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("line {line}, column {column}: {problem}")]
pub struct PlaError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in bytes, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: PlaProblem,
}

/// What is wrong with a PLA.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum PlaProblem {
    /// The text ends before the function is complete.
    #[error("the text ends, but {missing}")]
    Truncated {
        /// What was still expected.
        missing: &'static str,
    },
    /// A keyword that is not known, or one that this program does not handle.
    #[error("the keyword {keyword} is not supported")]
    UnknownKeyword {
        /// The keyword with its dot.
        keyword: String,
    },
    /// A keyword where it may not stand.
    #[error("{keyword} may not stand here: {reason}")]
    Misplaced {
        /// The keyword with its dot.
        keyword: String,
        /// Why not.
        reason: &'static str,
    },
    /// A number that is not one, or is out of range.
    #[error("{what} must be a whole number from {least} to {most}, not {found:?}")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// Least value allowed.
        least: i64,
        /// Greatest value allowed.
        most: i64,
        /// The text in its place.
        found: String,
    },
    /// A keyword with more or fewer words than it needs.
    #[error("{keyword} has {found} words, but needs {needed}")]
    WrongCount {
        /// The keyword with its dot.
        keyword: String,
        /// How many it needs.
        needed: usize,
        /// How many it has.
        found: usize,
    },
    /// A name that is used twice, or not defined.
    #[error("{what} {name:?} {reason}")]
    BadName {
        /// Kind of name.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A character that means nothing in its column.
    #[error("{found:?} means nothing as {field}")]
    BadCharacter {
        /// The character.
        found: char,
        /// Which field it stands in.
        field: &'static str,
    },
    /// A field of a multi-valued variable that allows no value.
    #[error("the field of variable {variable} (counted from 0) allows no value")]
    EmptyField {
        /// The variable.
        variable: usize,
    },
    /// The sizes cannot be used.
    #[error("{0}")]
    Layout(Error),
    /// The rows would take more memory than a file may.
    #[error("the rows take more than {limit_bytes} bytes of memory")]
    TooLarge {
        /// The cap.
        limit_bytes: usize,
    },
    /// A second function where one is taken.
    #[error("a second function begins here, and one is taken at a time")]
    SecondFunction,
    /// A point is ON in one row and OFF in another.
    #[error("this row has a point in common with the opposite row in line {other_line}")]
    Contradiction {
        /// Line of the row that says the opposite.
        other_line: usize,
    },
}

/// Why a file could not be minimised.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum PlaFailure {
    /// The file contradicts itself.
    #[error(transparent)]
    Pla(#[from] PlaError),
    /// The minimiser has no answer.
    #[error(transparent)]
    Minimizer(#[from] Error),
}

/// A function as a file gives it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pla {
    /// Shape of the covers. Columns joined by `.symbolic` are one multi-valued variable in it.
    pub layout: Arc<Layout>,
    /// Which sets the rows list.
    pub kind: Kind,
    /// ON rows; empty when `kind` has no `f`.
    pub on: Cover,
    /// Don't-care rows; empty when `kind` has no `d`.
    pub dc: Cover,
    /// OFF rows; empty when `kind` has no `r`.
    pub off: Cover,
    /// Names of the binary inputs; empty when the file gives none.
    pub input_names: Vec<String>,
    /// For each multi-valued input the names of its values; an inner list is empty when not given.
    pub value_names: Vec<Vec<String>>,
    /// Names of the outputs; empty when the file gives none.
    pub output_names: Vec<String>,
    /// For each output whether it is wanted as it is (`true`) or inverted, when the file says so.
    pub phase: Option<Vec<bool>>,
    /// Things that are odd but harmless, such as a `.p` that does not match.
    pub notes: Vec<String>,
    pub(crate) on_lines: Vec<u32>,
    pub(crate) off_lines: Vec<u32>,
}

/// The three covers of a function, complete enough for a minimiser.
#[derive(Debug, Clone)]
pub struct Sets {
    /// ON.
    pub f: Cover,
    /// Don't-cares, unless they are whatever is left.
    pub d: Option<Cover>,
    /// OFF, unless it is whatever is left.
    pub r: Option<Cover>,
}

impl Pla {
    /// The covers to minimise: as listed, what is missing left to follow, outputs in negative phase
    /// exchanged.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`] when a set that has to be written down is too large.
    pub fn sets(&self, minimizer: &Minimizer) -> Result<Sets, Error> {
        let budget = minimizer.budget();
        let failed = |stop: Stop| stop.into_error(budget.memory_bytes);
        let Kind { f, d, r } = self.kind;
        let mut sets = Sets {
            f: self.on.clone(),
            d: (d || !r).then(|| self.dc.clone()),
            r: r.then(|| self.off.clone()),
        };
        if !f {
            // OFF and DC are listed; ON is the rest.
            sets.f = rest(&[&self.off, &self.dc], &budget).map_err(failed)?;
            sets.d = Some(self.dc.clone());
        }
        let negative: Vec<usize> = match &self.phase {
            Some(phase) => (0..phase.len()).filter(|&o| !phase[o]).collect(),
            None => Vec::new(),
        };
        if !negative.is_empty() {
            let off = match &sets.r {
                Some(off) => off.clone(),
                None => rest(&[&sets.f, &self.dc], &budget).map_err(failed)?,
            };
            let on = std::mem::replace(&mut sets.f, Cover::empty(&self.layout));
            let mut new_off = Cover::empty(&self.layout);
            split_by_phase(&on, &negative, &mut sets.f, &mut new_off);
            split_by_phase(&off, &negative, &mut new_off, &mut sets.f);
            sets.r = Some(new_off);
        }
        Ok(sets)
    }

    /// Minimises the function of the file.
    ///
    /// # Errors
    /// [`PlaFailure::Pla`] with the line when an ON row and an OFF row share a point, else as
    /// [`Minimizer::minimize`].
    pub fn minimize(&self, minimizer: &Minimizer) -> Result<Solution, PlaFailure> {
        let sets = self.checked_sets(minimizer)?;
        Ok(minimizer.minimize(&sets.f, sets.d.as_ref(), sets.r.as_ref())?)
    }

    /// The covers to minimise, of rows that do not contradict each other.
    ///
    /// # Errors
    /// [`PlaFailure::Pla`] with the line when an ON row and an OFF row share a point, else as
    /// [`Pla::sets`].
    pub fn checked_sets(&self, minimizer: &Minimizer) -> Result<Sets, PlaFailure> {
        self.check_rows_within(&minimizer.budget())?;
        Ok(self.sets(minimizer)?)
    }

    /// Minimises the functions of several files, as many at once as `minimizer` has threads; its
    /// layout does not matter. Answers come in the order of the files.
    pub fn minimize_many(
        files: &[Pla],
        minimizer: &Minimizer,
    ) -> Vec<Result<Solution, PlaFailure>> {
        let threads = minimizer.threads.min(files.len());
        let run = |pla: &Pla| pla.minimize(&minimizer.for_layout(&pla.layout).threads(1));
        if threads < 2 {
            return files.iter().map(run).collect();
        }
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(vec![None; files.len()]);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(pla) = files.get(index) else { return };
                        let answer = run(pla);
                        let mut answers =
                            answers.lock().unwrap_or_else(|poison| poison.into_inner());
                        answers[index] = Some(answer);
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap_or_else(|poison| poison.into_inner());
        answers.into_iter().map(|answer| answer.expect("every file was run")).collect()
    }

    /// Checks that no ON row shares a point with an OFF row.
    ///
    /// # Errors
    /// [`PlaProblem::Contradiction`] with the line of the later row.
    pub fn check_rows(&self) -> Result<(), PlaError> {
        match self.check_rows_within(&Budget::new(None, None, usize::MAX)) {
            Err(PlaFailure::Pla(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn check_rows_within(&self, budget: &Budget) -> Result<(), PlaFailure> {
        for (on, on_line) in self.on.cubes().zip(&self.on_lines) {
            budget.look().map_err(|stop| stop.into_error(budget.memory_bytes))?;
            for (off, off_line) in self.off.cubes().zip(&self.off_lines) {
                if !cube::disjoint(&self.layout, on, off) {
                    let (early, late) = (on_line.min(off_line), on_line.max(off_line));
                    return Err(PlaFailure::Pla(PlaError {
                        line: *late as usize,
                        column: 1,
                        problem: PlaProblem::Contradiction { other_line: *early as usize },
                    }));
                }
            }
        }
        Ok(())
    }
}

fn rest(covers: &[&Cover], budget: &Budget) -> Result<Cover, Stop> {
    let layout = covers[0].layout();
    let mut stack = Stack::new(layout, budget);
    let full = layout.full().to_vec();
    let start = stack.push_cofactor(covers.iter().flat_map(|c| c.cubes()), &full);
    let cubes_max = budget.memory_bytes / (layout.words() * 8);
    let mut rest = Cover::from_bits(layout, stack.complement(start, cubes_max)?);
    rest.absorb();
    Ok(rest)
}

/// Sends the outputs of `negative` of each cube to `other`, the rest to `same`.
fn split_by_phase(from: &Cover, negative: &[usize], same: &mut Cover, other: &mut Cover) {
    let layout = Arc::clone(from.layout());
    let output = layout.output_variable();
    let mut mask = vec![0; layout.words()];
    for &part in negative {
        cube::set_bit(&mut mask, layout.bit(output, part));
    }
    for c in from.cubes() {
        let mut positive = c.to_vec();
        let mut inverted = c.to_vec();
        for &(word, span) in layout.spans(output) {
            let word = word as usize;
            positive[word] &= !(mask[word] & span);
            inverted[word] &= !span | mask[word];
        }
        for (one, to) in [(&positive, &mut *same), (&inverted, &mut *other)] {
            if !cube::is_empty(&layout, one) {
                to.push(one);
            }
        }
    }
}
