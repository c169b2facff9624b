//! From a table to compiled rules: findings, minimal cover, proof.
//!
//! Each answer is a logic function: 1 where a row with that answer decides, 0 where another row
//! decides or none speaks. Nothing is left open, so the minimiser has no say in what a table means.
//! The covers are then proved against the rows themselves, in three sentences that together say "the
//! same answer everywhere" (`<` is "decides before"):
//!
//! ```text
//!   every row        lies within the products of its answer and the rows < it of other answers
//!   every product    where it meets a row of another answer, lies within rows < that of its own
//!   every product    lies within the rows
//! ```
//!
//! Where there are no gaps and one row decides, the answer with the longest list, as a rule that of
//! the last row, needs no products: it is the answer where no product is. The first sentence is then
//! not needed for its rows.
//!
//! Products know no order, and rows that decide one before the other can say in few words what takes
//! many products. So the rows that are not shadowed, in their order, are the other candidate, which
//! needs no proof; the smaller of the two is compiled.

use super::column::{Column, Held, Scalar};
use super::findings::{self, Finding, Report};
use super::grid::{Grid, NOTHING};
use super::input::{Given, Point};
use super::matrix::{AnswerSet, Matrix, ones};
use super::space::{Cube, Space};
use super::table::{HitPolicy, Table};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{RULE_MEMORY_BYTES_MAX, RULE_SECONDS_MAX};
use pos_kernel_espresso::{Cover, Minimizer, Mode};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// Cubes of one answer from which on its minimisation is a single pass, and rows from which on a table
/// with a grid has its gaps read from that.
pub(super) const LONG: usize = 100;
/// Cubes that answers and gaps have together, beyond which products of a table with a grid grow on that.
const CUBES_MAX: usize = 250;
/// Time to minimise a table and to prove the outcome.
const MINIMISE: Duration = Duration::from_secs(5);
/// Parts of a row that decide, on average, beyond which products are not worth looking for.
const PIECES_PER_ROW: usize = 4;

/// A compiled table. Immutable, so any number of threads may ask it.
///
/// ```
/// use pos_kernel_core::rules::{Given, Rules, Scalar, Table};
/// let table = Table::read(
///     "table,Age,hit,first\n\
///      rule,age,sale\n\
///      ,when integer 0..150,then text refuse|allow\n\
///      minor,<18,refuse\n\
///      adult,,allow\n",
/// )?;
/// let rules = Rules::compile(table)?;
/// let point = rules.point(|_| Some(Given::Integer(17)))?;
/// let answer = rules.evaluate(&point)?.first().expect("there are no gaps");
/// assert_eq!(rules.answer(answer), [Scalar::Text("refuse".to_owned())]);
/// assert_eq!(rules.explain(&point)?.answers[0].rows, [0]);
/// # Ok::<(), pos_kernel_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rules {
    table: Table,
    hash: [u8; 32],
    space: Space,
    answers: Vec<Vec<Scalar>>,
    answer_of: Vec<u32>,
    /// The rows in the order in which they decide, and their bits in that order.
    order: Vec<u32>,
    source: Matrix,
    /// The products and what each answers; nothing when the table contradicts itself.
    products: Matrix,
    product_answers: Vec<u16>,
    /// What is answered where no product is.
    otherwise: Option<u16>,
    report: Report,
}

/// An answer and the rows that give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    /// The answer, for [`Rules::answer`].
    pub answer: usize,
    /// The rows that give it, counted from 0.
    pub rows: Vec<usize>,
}

/// Why an input has its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answers, each with the rows that decided. Empty where no row speaks.
    pub answers: Vec<Answering>,
    /// All rows that apply, those that did not decide included.
    pub applying: Vec<usize>,
}

/// The rows of a table as cubes.
pub(super) struct Source<'t> {
    pub(super) table: &'t Table,
    pub(super) space: &'t Space,
    /// What each row speaks of.
    pub(super) regions: Vec<Cube>,
    pub(super) answer_of: &'t [u32],
    pub(super) order: &'t [u32],
    /// The regions, in the order in which they decide.
    pub(super) in_order: &'t Matrix,
    /// Every input, where they are not too many.
    pub(super) dense: Option<Dense>,
}

/// Every input, and the row that decides there.
pub(super) struct Dense {
    pub(super) grid: Grid,
    pub(super) deciding: Vec<u16>,
}

/// What may be spent on one table.
pub(super) struct Effort {
    minimizer: Minimizer,
    until: Instant,
}

impl Rules {
    /// Compiles a table. A table that contradicts itself is reported and answers nothing.
    ///
    /// # Errors
    /// `PK_E_LIMIT` for a table that takes more time or memory than one may.
    pub fn compile(table: Table) -> Result<Rules> {
        let (answers, answer_of) = table.answers();
        let order = table.order();
        let space = space(&table)?;
        let effort = Effort::of(&space, Duration::from_secs(RULE_SECONDS_MAX));
        let regions: Vec<Cube> = table.rows().iter().map(|row| space.region(&row.when)).collect();
        let in_order: Vec<Cube> = order.iter().map(|&row| regions[row as usize].clone()).collect();
        let source = Matrix::new(&space, &in_order);
        let dense = Dense::new(&space, &regions, &order);
        let parts = Source {
            table: &table,
            space: &space,
            regions,
            answer_of: &answer_of,
            order: &order,
            in_order: &source,
            dense,
        };
        let contradictions = findings::contradictions(&parts);
        let (gap_cover, gaps) = findings::gaps(&parts, &effort)?;
        let (live, shadowed) = findings::shadowed(&parts, &effort)?;
        let Compiled { products, otherwise } = if contradictions.count > 0 {
            Compiled { products: Vec::new(), otherwise: None }
        } else {
            compiled(&parts, &gap_cover, answers.len(), live)?
        };
        let product_answers = products.iter().map(|product| product.answer).collect();
        let products: Vec<Cube> = products.into_iter().map(|product| product.cube).collect();
        let report = Report {
            rows: table.rows().len(),
            answers: answers.len(),
            products: products.len(),
            contradictions,
            gaps,
            shadowed,
        };
        Ok(Rules {
            hash: table.hash(),
            source,
            product_answers,
            otherwise,
            products: Matrix::new(&space, &products),
            report,
            answers,
            answer_of,
            order,
            space,
            table,
        })
    }

    /// A table whose rows are asked as they are written, with nothing found and nothing proved: what
    /// was compiled before answers the same.
    pub(super) fn as_written(table: Table) -> Result<Rules> {
        let (answers, answer_of) = table.answers();
        let order = table.order();
        let space = space(&table)?;
        let in_order = order.iter().map(|&row| space.region(&table.rows()[row as usize].when));
        let source = Matrix::new(&space, &in_order.collect::<Vec<_>>());
        let answer =
            |&row: &u32| u16::try_from(answer_of[row as usize]).expect("answers are limited");
        let report = Report {
            rows: table.rows().len(),
            answers: answers.len(),
            products: order.len(),
            contradictions: Finding::default(),
            gaps: Finding::default(),
            shadowed: Finding::default(),
        };
        Ok(Rules {
            hash: table.hash(),
            products: source.clone(),
            product_answers: order.iter().map(answer).collect(),
            otherwise: None,
            source,
            report,
            answers,
            answer_of,
            order,
            space,
            table,
        })
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// BLAKE3 of the table's canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// What was found in the table.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Nothing was found that should not be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.report.is_clean(&self.table)
    }

    /// The values of an answer, one for each result column.
    #[must_use]
    pub fn answer(&self, answer: usize) -> &[Scalar] {
        &self.answers[answer]
    }

    /// Places an input: what is given for each condition column, `None` for its default. Allocates
    /// nothing.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` for a column that is missing, of another type, or out of its range.
    #[inline]
    pub fn point<'a>(&self, given: impl Fn(&Column) -> Option<Given<'a>>) -> Result<Point> {
        self.space.point(&self.table, |_, column| given(column))
    }

    /// The same by the index of the column.
    #[inline]
    pub(super) fn point_by_index<'a>(
        &self,
        given: impl Fn(usize) -> Option<Given<'a>>,
    ) -> Result<Point> {
        self.space.point(&self.table, |index, _| given(index))
    }

    /// The answers to an input: one, or none where no row speaks; under `collect` any number.
    /// Allocates nothing.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for a table that contradicts itself.
    #[inline]
    pub fn evaluate(&self, point: &Point) -> Result<AnswerSet> {
        if self.report.contradictions.count > 0 {
            return Err(self.contradicts());
        }
        let mut set = AnswerSet::default();
        if self.table.hit() == HitPolicy::Collect {
            for product in self.products.all(point) {
                set.insert(self.product_answers[product].into());
            }
        } else {
            let product = self.products.first(point).map(|product| self.product_answers[product]);
            if let Some(answer) = product.or(self.otherwise) {
                set.insert(answer.into());
            }
        }
        Ok(set)
    }

    /// The first row that applies and gives this answer. Allocates nothing.
    #[inline]
    pub(super) fn row_behind(&self, point: &Point, answer: usize) -> Option<usize> {
        let rows = self.source.all(point).map(|place| self.order[place] as usize);
        rows.into_iter().find(|&row| self.answer_of(row) == answer)
    }

    /// The answer that a row gives.
    #[inline]
    fn answer_of(&self, row: usize) -> usize {
        self.answer_of[row] as usize
    }

    /// The answers to an input with the rows that give them.
    ///
    /// # Errors
    /// As [`Rules::evaluate`].
    pub fn explain(&self, point: &Point) -> Result<Explanation> {
        let places: Vec<usize> = self.source.all(point).collect();
        let mut applying: Vec<usize> =
            places.iter().map(|&place| self.order[place] as usize).collect();
        let deciding = match self.table.hit() {
            HitPolicy::First | HitPolicy::Priority => &applying[..applying.len().min(1)],
            _ => &applying[..],
        };
        let answers = self.evaluate(point)?.iter().map(|answer| Answering {
            answer,
            rows: deciding.iter().copied().filter(|&row| self.answer_of(row) == answer).collect(),
        });
        let answers: Vec<Answering> = answers.collect();
        debug_assert!(answers.iter().all(|answering| !answering.rows.is_empty()));
        debug_assert_eq!(answers.is_empty(), applying.is_empty());
        applying.sort_unstable();
        Ok(Explanation { answers, applying })
    }

    fn contradicts(&self) -> Error {
        let rows = self.report.contradictions.shown.first().map_or([0, 0], |found| found.rows);
        let ids = rows.map(|row| self.table.rows()[row].id.as_str());
        let message = format!(
            "rule table {} contradicts itself: rows {} and {} both apply to one input; mend the table",
            self.table.name(),
            ids[0],
            ids[1]
        );
        Error::new(Code::BadRules, message)
            .with("table", self.table.name())
            .with("rows", ids.to_vec())
            .with("contradictions", self.report.contradictions.count)
    }
}

fn space(table: &Table) -> Result<Space> {
    Space::new(table)
        .map_err(|error| Error::new(Code::BadRules, format!("{}: {error}", table.name())))
}

impl Dense {
    fn new(space: &Space, regions: &[Cube], order: &[u32]) -> Option<Dense> {
        let grid = Grid::new(space, regions)?;
        let mut deciding = grid.blank();
        for &row in order.iter().rev() {
            let value = u16::try_from(row).expect("rows are limited");
            grid.paint(&mut deciding, &regions[row as usize], value);
        }
        Some(Dense { grid, deciding })
    }

    /// The inputs of which no row speaks.
    pub(super) fn gaps(&self, space: &Space) -> Vec<Cube> {
        self.grid.grown(space, (&self.deciding, NOTHING), None, &mut self.grid.times())
    }

    /// What is answered at every input where one row decides.
    fn answers(&self, source: &Source<'_>) -> Vec<u16> {
        let answer = |&row: &u16| match source.answer_of.get(usize::from(row)) {
            Some(&answer) => u16::try_from(answer).expect("answers are limited"),
            None => NOTHING,
        };
        self.deciding.iter().map(answer).collect()
    }

    /// Where an answer is among those that are collected: 1 there.
    fn collected(&self, source: &Source<'_>, answer: u32) -> Vec<u16> {
        let mut map = self.grid.blank();
        let rows = source.regions.iter().zip(source.answer_of);
        for (region, _) in rows.filter(|(_, other)| **other == answer) {
            self.grid.paint(&mut map, region, 1);
        }
        map
    }
}

impl Source<'_> {
    /// The rows that decide before the one at `place` and meet a region, in their order.
    pub(super) fn before(&self, place: usize, region: &[u64]) -> impl Iterator<Item = usize> {
        let mut meeting = self.in_order.meeting(self.space, region);
        meeting.truncate(place.div_ceil(64));
        if !place.is_multiple_of(64) {
            meeting[place / 64] &= (1 << (place % 64)) - 1;
        }
        let places = (0..).step_by(64).zip(meeting);
        places
            .flat_map(|(base, word)| ones(word).map(move |bit| base + bit))
            .map(|place: usize| self.order[place] as usize)
    }

    pub(super) fn example(&self, cube: &[u64]) -> Vec<Held> {
        self.space.held(&self.space.example(cube, self.table), self.table)
    }
}

impl Effort {
    fn of(space: &Space, time: Duration) -> Effort {
        Effort {
            minimizer: Minimizer::new(&space.layout).memory_limit(RULE_MEMORY_BYTES_MAX),
            until: Instant::now() + time,
        }
    }

    /// Asks the minimiser within what is left.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Minimizer) -> std::result::Result<T, pos_kernel_espresso::Error>,
    ) -> Result<T> {
        question(&self.minimizer.clone().time_limit(self.left()))
            .map_err(|error| self.failed(error))
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Few products that hold these cubes and nothing of `off`, or nothing else where there is none.
    fn few(&self, space: &Space, on: &[Cube], off: Option<Vec<Cube>>) -> Result<Vec<Cube>> {
        let failed = |error| self.failed(error);
        let mode = if on.len() > LONG { Mode::Fast } else { Mode::Normal };
        let on = space.cover(on).map_err(failed)?;
        let off = off.map(|off| space.cover(&off)).transpose().map_err(failed)?;
        let found =
            self.ask(|minimizer| minimizer.clone().mode(mode).minimize(&on, None, off.as_ref()))?;
        Ok(found.f.cubes().map(<[u64]>::to_vec).collect())
    }

    pub(super) fn failed(&self, error: pos_kernel_espresso::Error) -> Error {
        use pos_kernel_espresso::Error as Failure;
        match error {
            Failure::TimeLimit => {
                too_intricate("seconds to compile a rule table", RULE_SECONDS_MAX)
            }
            Failure::MemoryLimit { .. } => {
                let limit = u64::try_from(RULE_MEMORY_BYTES_MAX).unwrap_or(u64::MAX);
                too_intricate("bytes of memory to compile a rule table", limit)
            }
            other => Error::new(Code::Panic, format!("the minimiser: {other}")),
        }
    }
}

fn too_intricate(what: &str, limit: u64) -> Error {
    let message = format!(
        "{what}: more than the limit of {limit}. The table is too intricate; split it into several \
         with fewer columns"
    );
    Error::new(Code::Limit, message)
        .with("what", what)
        .with("value", limit + 1)
        .with("limit", limit)
}

/// A set of inputs that have an answer.
struct Product {
    cube: Cube,
    answer: u16,
}

struct Compiled {
    products: Vec<Product>,
    otherwise: Option<u16>,
}

/// The smaller of a minimal cover and the rows that decide anywhere, in their order.
fn compiled(
    source: &Source<'_>,
    gaps: &Cover,
    answers: usize,
    live: Vec<usize>,
) -> Result<Compiled> {
    let pieces_max = PIECES_PER_ROW * (live.len() + PIECES_PER_ROW);
    let effort = Effort::of(source.space, MINIMISE);
    let covered = minimal(source, gaps, answers, pieces_max, &effort).and_then(|found| {
        let found = found.filter(|compiled| compiled.products.len() <= live.len());
        found.map(|compiled| prove(source, &compiled, &effort).map(|()| compiled)).transpose()
    });
    match covered {
        Ok(Some(compiled)) => return Ok(compiled),
        Err(error) if error.code() != Code::Limit => return Err(error),
        // Too many products, or no time or memory for them: the rows are right as they are.
        _ => {}
    }
    let products = live.into_iter().map(|row| Product {
        cube: source.regions[row].clone(),
        answer: u16::try_from(source.answer_of[row]).expect("answers are limited"),
    });
    Ok(Compiled { products: products.collect(), otherwise: None })
}

/// A minimal cover for each answer but the one that is left over; nothing when the parts of the rows
/// that decide are too many for that to be worth it.
fn minimal(
    source: &Source<'_>,
    gaps: &Cover,
    answers: usize,
    pieces_max: usize,
    effort: &Effort,
) -> Result<Option<Compiled>> {
    let space = source.space;
    let fail = |error| effort.failed(error);
    let is_collect = source.table.hit() == HitPolicy::Collect;
    let mut decided: Vec<Vec<Cube>> = vec![Vec::new(); answers];
    let mut pieces = 0;
    for (place, &row) in source.order.iter().enumerate() {
        let row = row as usize;
        let (region, answer) = (&source.regions[row], source.answer_of[row]);
        let on = &mut decided[answer as usize];
        let others: Vec<&Cube> = if is_collect {
            Vec::new()
        } else {
            before(source, place, region, |other| other != answer).collect()
        };
        if others.is_empty() {
            on.push(region.clone());
            pieces += 1;
            continue;
        }
        let one = space.cover([region]).map_err(fail)?;
        let others = space.cover(others).map_err(fail)?;
        let rest = effort.ask(|minimizer| minimizer.difference(&one, &others))?;
        on.extend(rest.cubes().map(<[u64]>::to_vec));
        pieces += rest.len();
        if pieces > pieces_max {
            return Ok(None);
        }
    }
    let is_whole = !is_collect && gaps.is_empty() && answers > 1;
    let longest = (0..).zip(&decided).max_by_key(|(answer, on)| (on.len(), Reverse(*answer)));
    let otherwise: Option<u16> = longest.filter(|_| is_whole).map(|(answer, _)| answer);
    let mut products = Vec::new();
    let mut map = Vec::new();
    let mut times = Vec::new();
    for (answer, on) in (0..).zip(&decided).filter(|(answer, _)| Some(*answer) != otherwise) {
        let cubes = if is_collect { on.len() * on.len() / 16 } else { pieces + gaps.len() };
        if let Some(dense) = source.dense.as_ref().filter(|_| cubes > CUBES_MAX) {
            let value = if is_collect { 1 } else { answer };
            if is_collect {
                map = dense.collected(source, answer.into());
                times = dense.grid.times();
            } else if map.is_empty() {
                map = dense.answers(source);
                times = dense.grid.times();
            }
            let cubes = dense.grid.grown(space, (&map, value), Some(on), &mut times);
            products.extend(cubes.into_iter().map(|cube| Product { cube, answer }));
            continue;
        }
        let off = (!is_collect).then(|| {
            let others = (0..).zip(&decided).filter(|(other, _)| *other != answer);
            let mut off: Vec<Cube> = others.flat_map(|(_, on)| on.iter().cloned()).collect();
            off.extend(gaps.cubes().map(<[u64]>::to_vec));
            off
        });
        let cubes = effort.few(space, on, off)?;
        products.extend(cubes.into_iter().map(|cube| Product { cube, answer }));
    }
    Ok(Some(Compiled { products, otherwise }))
}

/// The regions of the rows that decide before the one at `place`, meet a region, and have an answer
/// that is wanted.
fn before<'s>(
    source: &'s Source<'_>,
    place: usize,
    region: &[u64],
    wanted: impl Fn(u32) -> bool + 's,
) -> impl Iterator<Item = &'s Cube> {
    let rows = source.before(place, region).filter(move |&row| wanted(source.answer_of[row]));
    rows.map(|row| &source.regions[row])
}

/// Proves that the products answer what the rows say, at every input. A failure is a fault of ours.
fn prove(source: &Source<'_>, compiled: &Compiled, effort: &Effort) -> Result<()> {
    match &source.dense {
        Some(dense) => prove_each(source, compiled, dense),
        None => prove_all(source, compiled, effort),
    }
}

fn unproved(source: &Source<'_>, what: &str) -> Error {
    let name = source.table.name();
    let message = format!("the compiled form of rule table {name} is not the table: {what}");
    Error::new(Code::Panic, message).with("cause", what)
}

/// Looks at every input.
fn prove_each(source: &Source<'_>, compiled: &Compiled, dense: &Dense) -> Result<()> {
    let grid = &dense.grid;
    if source.table.hit() == HitPolicy::Collect {
        for answer in 0..=source.answer_of.iter().copied().max().unwrap_or(0) {
            let mut is = grid.blank();
            let own =
                compiled.products.iter().filter(|product| u32::from(product.answer) == answer);
            own.for_each(|product| grid.paint(&mut is, &product.cube, 1));
            if is != dense.collected(source, answer) {
                return Err(unproved(source, "an answer is given elsewhere"));
            }
        }
        return Ok(());
    }
    let mut is = grid.blank();
    is.fill(compiled.otherwise.unwrap_or(NOTHING));
    for Product { cube, answer } in compiled.products.iter().rev() {
        grid.paint(&mut is, cube, *answer);
    }
    if is == dense.answers(source) {
        return Ok(());
    }
    Err(unproved(source, "an input has another answer"))
}

/// Proves containments of cubes.
fn prove_all(source: &Source<'_>, compiled: &Compiled, effort: &Effort) -> Result<()> {
    let Compiled { products, otherwise } = compiled;
    let space = source.space;
    let is_collect = source.table.hit() == HitPolicy::Collect;
    let within = |part: &Cube, cubes: Vec<&Cube>, what: &str| -> Result<()> {
        let one = space.cover([part]).map_err(|error| effort.failed(error))?;
        let all = space.cover(cubes).map_err(|error| effort.failed(error))?;
        if effort.ask(|minimizer| minimizer.contains(&all, &one))? {
            return Ok(());
        }
        Err(unproved(source, what))
    };
    for (place, &row) in source.order.iter().enumerate() {
        let row = row as usize;
        let (region, answer) = (&source.regions[row], source.answer_of[row]);
        if otherwise.is_some_and(|otherwise| u32::from(otherwise) == answer) {
            continue;
        }
        let own = products.iter().filter(|product| u32::from(product.answer) == answer);
        let mut cubes: Vec<&Cube> = own.map(|product| &product.cube).collect();
        if !is_collect {
            cubes.extend(before(source, place, region, |other| other != answer));
        }
        within(region, cubes, "a row is lost")?;
    }
    for Product { cube, answer } in products {
        let answer = u32::from(*answer);
        if is_collect {
            let rows = source.answer_of.iter().zip(&source.regions);
            let own = rows.filter(|(other, _)| **other == answer).map(|(_, region)| region);
            within(cube, own.collect(), "a product is too large")?;
            continue;
        }
        within(cube, source.regions.iter().collect(), "a product fills a gap")?;
        for (place, &row) in source.order.iter().enumerate() {
            let row = row as usize;
            if source.answer_of[row] == answer {
                continue;
            }
            if let Some(both) = space.meet(cube, &source.regions[row]) {
                let own = before(source, place, &both, |other| other == answer);
                within(&both, own.collect(), "a product is too large")?;
            }
        }
    }
    Ok(())
}
