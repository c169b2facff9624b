//! The loop: EXPAND and IRREDUNDANT give a first cover of primes; REDUCE, EXPAND and IRREDUNDANT in
//! turn lower it; LAST_GASP is the way out when they settle; MAKE_SPARSE ends with fewer literals.
//!
//! ```text
//!   ON, DC, OFF ─ missing one complemented ─ EXPAND ─ IRREDUNDANT ─ ESSENTIAL out
//!        ┌───────────────── REDUCE ─ EXPAND ─ IRREDUNDANT ◄┐
//!        │  products fell? ──────────────────────── yes ───┘
//!        └─ LAST_GASP ─ cost fell? ─ yes: back to REDUCE
//!                                    no: ESSENTIAL back ─ MAKE_SPARSE ─ verify
//! ```
//!
//! A cap that strikes after the first cover ends the run with the best cover so far, which says so;
//! one that strikes before is an error. Every answer is verified before it is given.

use std::sync::Arc;
use std::time::Duration;

use crate::all_primes;
use crate::blocking::Blocking;
use crate::budget::{Budget, Cancel, Stop};
use crate::care::Care;
use crate::cover::{Cost, Cover};
use crate::cube;
use crate::error::Error;
use crate::essential;
use crate::expand::{Expander, Raise, Working};
use crate::gasp;
use crate::independent::{Inside, Patience, products_least};
use crate::irredundant;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::pool;
use crate::primes::Dense;
use crate::progress::{Listener, Phase, Progress};
use crate::recurse::Stack;
use crate::reduce::{self, Order};
use crate::sparse;
use crate::without_off;

/// How much work goes into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// One pass: primes, made irredundant. About half the time and a few percent more products.
    Fast,
    /// The full loop.
    #[default]
    Normal,
    /// The full loop with more ways out of a settled cover, and a choice from many more primes.
    Strong,
    /// Normal effort, then all primes and a branch and bound: the answer says how few products there
    /// could be, and whether this is the minimum. Set a time limit; what is known by then is answered.
    Exact,
}

/// Memory an answer may take unless another cap is set.
pub const MEMORY_BYTES_DEFAULT: usize = 1 << 30;
/// Most output literals for which multi-output cubes are first taken apart.
const UNWRAP_MAX: usize = 5_000;
/// OFF cubes allowed before the run goes on without an OFF-set: this many, or this many per ON cube.
const OFF_CUBES_MIN: usize = 50_000;
const OFF_CUBES_PER_ON_CUBE: usize = 200;

/// Pairs of cubes that the wide way to all primes may compare where the number of products is proved.
const LITERALS_WORK_MAX: u64 = 4_000_000;

/// Steps of a run that may be left out, to look into what each does for a table; all are taken unless
/// told otherwise. An answer without them is as right, and tends to be larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Cubes of several outputs are first taken apart into one for each.
    pub unwrap_outputs: bool,
    /// Essential primes are set aside while the others are improved.
    pub take_essentials: bool,
    /// Literals are lowered at the end.
    pub make_sparse: bool,
}

impl Default for Steps {
    fn default() -> Steps {
        Steps { unwrap_outputs: true, take_essentials: true, make_sparse: true }
    }
}

/// A configured minimiser for functions of one layout.
///
/// ```
/// use std::sync::Arc;
/// use pos_kernel_espresso::{Cover, Layout, Minimizer};
///
/// let layout = Arc::new(Layout::new(2, &[], 1)?);
/// let mut on = Cover::empty(&layout);
/// on.push_fields(&[&[0], &[0, 1], &[0]])?;
/// on.push_fields(&[&[1], &[1], &[0]])?;
/// let solution = Minimizer::new(&layout).minimize(&on, None, None)?;
/// assert_eq!(solution.cost.products, 2);
/// # Ok::<(), pos_kernel_espresso::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Minimizer {
    pub(crate) layout: Arc<Layout>,
    pub(crate) mode: Mode,
    time: Option<Duration>,
    memory_bytes: usize,
    cancel: Option<Cancel>,
    listener: Option<Listener>,
    pub(crate) threads: usize,
    steps: Steps,
}

/// A minimised function.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Solution {
    /// The minimised ON cover: holds every ON point, no OFF point.
    pub f: Cover,
    /// The don't-cares as given; `None` when they are whatever is in neither ON nor OFF.
    pub d: Option<Cover>,
    /// The OFF cover, given or computed; `None` when it is too large to be written down.
    pub r: Option<Cover>,
    /// Products and literals of `f`.
    pub cost: Cost,
    /// No cover has fewer products than this.
    pub lower_bound: usize,
    /// Whether `f` is known to have the fewest products possible.
    pub proved: bool,
    /// Whether a cap ended the run before it had settled.
    pub stopped_early: bool,
}

impl Solution {
    /// A solution that was found elsewhere and came here as its covers. What it costs, and whether it
    /// is proved, follows from them.
    pub fn from_parts(
        f: Cover,
        d: Option<Cover>,
        r: Option<Cover>,
        lower_bound: usize,
        stopped_early: bool,
    ) -> Solution {
        let cost = f.cost();
        Solution { proved: cost.products <= lower_bound, f, d, r, cost, lower_bound, stopped_early }
    }
}

/// A question with everything the loop needs at hand.
pub(crate) struct Problem {
    pub(crate) on: Cover,
    pub(crate) care: Care,
    pub(crate) off: Cover,
}

/// How far the loop goes.
#[derive(Clone, Copy)]
enum Depth<'p> {
    /// One pass from each start, the better made sparse.
    Fast,
    Full(&'p Plan),
}

impl Minimizer {
    /// A minimiser with normal effort, one thread, no time limit and a memory cap of 1 GiB.
    pub fn new(layout: &Arc<Layout>) -> Minimizer {
        Minimizer {
            layout: Arc::clone(layout),
            mode: Mode::Normal,
            time: None,
            memory_bytes: MEMORY_BYTES_DEFAULT,
            cancel: None,
            listener: None,
            threads: 1,
            steps: Steps::default(),
        }
    }
    /// Sets how much work goes into an answer.
    pub fn mode(mut self, mode: Mode) -> Minimizer {
        self.mode = mode;
        self
    }
    /// Sets the time after which the run ends with the best cover it has.
    pub fn time_limit(mut self, time: Duration) -> Minimizer {
        self.time = Some(time);
        self
    }
    /// Caps the memory of covers and recursions, in bytes.
    pub fn memory_limit(mut self, bytes: usize) -> Minimizer {
        self.memory_bytes = bytes;
        self
    }
    /// Lets another thread end the run.
    pub fn cancel(mut self, cancel: &Cancel) -> Minimizer {
        self.cancel = Some(cancel.clone());
        self
    }
    /// Tells `listener` before each step of a run, on the thread that minimises.
    pub fn on_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Minimizer {
        self.listener = Some(Listener(Arc::new(listener)));
        self
    }
    /// Number of threads a run may use; the answer is the same for any number.
    pub fn threads(mut self, threads: usize) -> Minimizer {
        self.threads = threads.max(1);
        self
    }
    /// Leaves steps out.
    pub fn steps(mut self, steps: Steps) -> Minimizer {
        self.steps = steps;
        self
    }

    /// Minimises the function with ON-set `f`, don't-cares `d` and OFF-set `r`.
    ///
    /// Without `r`, OFF is what lies in neither `f` nor `d`. With `r` and without `d`, what lies in
    /// neither `f` nor `r` is a don't-care. A point of both `f` and `d` is a don't-care.
    ///
    /// # Errors
    /// [`Error::LayoutMismatch`]; [`Error::Contradiction`] when `f` and `r` share a point;
    /// [`Error::Cancelled`], [`Error::TimeLimit`], [`Error::MemoryLimit`] when a cap strikes before
    /// there is any answer.
    pub fn minimize(
        &self,
        f: &Cover,
        d: Option<&Cover>,
        r: Option<&Cover>,
    ) -> Result<Solution, Error> {
        for (which, cover) in [("ON", Some(f)), ("DC", d), ("OFF", r)] {
            if cover.is_some_and(|c| **c.layout() != *self.layout) {
                return Err(Error::LayoutMismatch { which });
            }
        }
        let budget = self.budget();
        let mut stack = Stack::new(&self.layout, &budget);
        stack.threads = self.threads;
        self.run(f, d, r, &budget, &mut stack)
            .map_err(|failure| failure.into_error(self.memory_bytes))
    }

    /// The same settings for functions of another layout.
    pub fn for_layout(&self, layout: &Arc<Layout>) -> Minimizer {
        Minimizer { layout: Arc::clone(layout), ..self.clone() }
    }

    fn tell(&self, phase: Phase, products: usize) {
        if let Some(Listener(listener)) = &self.listener {
            listener(Progress { phase, products });
        }
    }

    /// The caps but for time.
    fn patient(&self) -> Budget {
        Budget::new(self.cancel.clone(), None, self.memory_bytes)
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.cancel.clone(), self.time, self.memory_bytes)
    }

    fn run(
        &self,
        f: &Cover,
        d: Option<&Cover>,
        r: Option<&Cover>,
        budget: &Budget,
        stack: &mut Stack<'_>,
    ) -> Result<Solution, Failure> {
        budget.look()?;
        let mut on = f.clone();
        on.tidy();
        let free = d.cloned().unwrap_or_else(|| Cover::empty(&self.layout));
        let off = match r {
            Some(r) => {
                let mut off = r.clone();
                off.tidy();
                Some(off)
            }
            None => {
                self.tell(Phase::Complement, on.len());
                complement(&on, &free, stack)?
            }
        };
        let Some(off) = off else {
            return self.run_without_off(&on, &free, d, budget, stack);
        };
        let given = r.is_some();
        if given {
            check_disjoint(f, r.unwrap_or(&off), stack)?;
        }
        let pieces = (given && d.is_none()).then(|| on.clone());
        let problem = Problem { on, care: Care { free, pieces }, off };
        let blocking = Blocking::new(&self.layout, &problem.off);
        budget.hold(blocking.bytes())?;
        let (work, lower_bound, early) = self.answer(&problem, &blocking, stack)?;
        let mut cover = work.cover;
        self.tell(Phase::Verify, cover.len());
        // The answer is checked whatever time is left.
        let patient = self.patient();
        verify(&problem, &cover, &blocking, &mut Stack::new(&self.layout, &patient))?;
        drop(blocking);
        sort_for_print(&mut cover);
        let cost = cover.cost();
        Ok(Solution {
            f: cover,
            d: if pieces_only(d, r) { None } else { Some(problem.care.free) },
            r: Some(problem.off),
            cost,
            lower_bound,
            proved: cost.products <= lower_bound,
            stopped_early: early.is_some(),
        })
    }

    /// The loop, the choice from all primes, or both, as the plan of the mode says; with a bound that
    /// no cover is below.
    fn answer(
        &self,
        problem: &Problem,
        off: &Blocking<'_>,
        stack: &mut Stack<'_>,
    ) -> Result<(Working, usize, Option<Stop>), Failure> {
        let valued = self.layout.inputs() > self.layout.binaries();
        let Some(plan) = Plan::new(self.mode, valued) else {
            let (work, early) = self.settled(problem, Depth::Fast, off, stack)?;
            let least = work.cover.len().min(1);
            return Ok((work, least, early));
        };
        let fits = Dense::entries(&self.layout).is_some_and(|n| n <= plan.caps.table_entries);
        let alone = plan.table_alone && fits;
        let (mut work, mut early) = if alone {
            // A cover to fall back on.
            self.tell(Phase::Expand, problem.on.len());
            let mut work = Working::new(problem.on.clone());
            Expander::new(off, stack.budget).expand(&mut work, Raise::All)?;
            (work, None)
        } else {
            self.settled(problem, Depth::Full(&plan), off, stack)?
        };
        // A cover that was expanded only may hold what nobody asks for.
        let mut least = if alone { 0 } else { work.cover.len().min(1) };
        if early.is_some() {
            return Ok((work, least, early));
        }
        let known = &work.cover;
        let bounds = plan.effort.bound > 0;
        let inside = Inside::Off(&problem.off, off);
        let mut caps = plan.caps;
        if bounds && !alone {
            least = products_least(known, &problem.care, &inside, Patience::Little, stack)?;
            if least == known.len() {
                // Only literals are left to be won.
                caps.wide_work = caps.wide_work.min(LITERALS_WORK_MAX);
            }
        }
        self.tell(Phase::Primes, known.len());
        match all_primes::choose(problem, caps, plan.effort, known, stack) {
            Ok(chosen) => {
                least = least.max(chosen.lower_bound);
                early = chosen.stopped;
                let mut other = Working::new(chosen.cover);
                other.prime.fill(true);
                let mut sparser = other.clone();
                match self.make_sparse(&mut sparser, problem, off, stack) {
                    Ok(()) => other = sparser,
                    Err(Stop::Cancelled) => return Err(Failure::Stop(Stop::Cancelled)),
                    Err(stop) => early = Some(stop),
                }
                if other.cover.cost() < work.cover.cost() {
                    work = other;
                }
            }
            Err(Stop::Work | Stop::Memory) if alone => {
                (work, early) = self.settled(problem, Depth::Full(&plan), off, stack)?;
            }
            Err(Stop::Work | Stop::Memory) => {}
            Err(Stop::Cancelled) => return Err(Failure::Stop(Stop::Cancelled)),
            Err(stop) => early = Some(stop),
        }
        if bounds && least < work.cover.len() {
            let patience = Patience::Much;
            let points = products_least(&work.cover, &problem.care, &inside, patience, stack)?;
            least = least.max(points);
        }
        Ok((work, least, early))
    }

    /// The loop, from the ON-set as given to a settled cover.
    fn settled(
        &self,
        problem: &Problem,
        depth: Depth<'_>,
        off: &Blocking<'_>,
        stack: &mut Stack<'_>,
    ) -> Result<(Working, Option<Stop>), Failure> {
        let on = &problem.on;
        let outputs = self.layout.outputs();
        let cost = on.cost();
        let unwrap = self.steps.unwrap_outputs
            && outputs > 1
            && cost.outputs < UNWRAP_MAX
            && cost.outputs != cost.products * outputs;
        let start = if unwrap { unwrapped(on) } else { on.clone() };
        let (work, early) = self.settle(start, problem, depth, off, stack)?;
        if unwrap
            && early.is_none()
            && (matches!(depth, Depth::Fast) || work.cover.len() > on.len())
        {
            // Taking the outputs apart may have made it worse, and without a loop nothing makes up for
            // it: once more with the cubes as they came.
            let (second, early) = self.settle(on.clone(), problem, depth, off, stack)?;
            if second.cover.cost() < work.cover.cost() {
                return Ok((second, early));
            }
        }
        Ok((work, early))
    }

    fn settle(
        &self,
        start: Cover,
        problem: &Problem,
        depth: Depth<'_>,
        off: &Blocking<'_>,
        stack: &mut Stack<'_>,
    ) -> Result<(Working, Option<Stop>), Failure> {
        self.tell(Phase::Expand, start.len());
        let mut work = Working::new(start.clone());
        let mut expander = Expander::new(off, stack.budget);
        expander.expand(&mut work, Raise::All)?;
        let alone = irredundant::irredundant(&mut work, &problem.care, stack)?;
        if matches!(depth, Depth::Fast) {
            self.make_sparse(&mut work, problem, off, stack)?;
        }
        let Depth::Full(plan) = depth else { return Ok((work, None)) };
        let mut care = problem.care.clone();
        let mut best = work;
        let mut essential = Cover::empty(&self.layout);
        let lowered = self
            .set_aside(&mut best, &alone, &mut essential, &mut care, stack)
            .and_then(|()| {
                self.improve(&mut best, essential.len(), &care, plan, &mut expander, stack)
            })
            .and_then(|()| {
                self.tell(Phase::Pool, best.cover.len() + essential.len());
                let listed = &problem.on;
                let starts = pool::Starts { listed, apart: &start, off, care: &care };
                pool::improve(&mut best, &starts, problem.off.len(), plan.rounds, stack)
            });
        // Whatever stopped the search, the best cover and the essentials are an answer.
        best.cover.extend(&essential);
        best.prime.resize(best.cover.len(), true);
        let mut sparser = best.clone();
        match lowered.and_then(|()| self.make_sparse(&mut sparser, problem, off, stack)) {
            Ok(()) => Ok((sparser, None)),
            Err(Stop::Cancelled) => Err(Failure::Stop(Stop::Cancelled)),
            Err(stop) => Ok((best, Some(stop))),
        }
    }

    fn make_sparse(
        &self,
        work: &mut Working,
        problem: &Problem,
        off: &Blocking<'_>,
        stack: &mut Stack<'_>,
    ) -> Result<(), Stop> {
        if self.steps.make_sparse {
            sparse::make_sparse(work, &problem.care, off, stack)?;
        }
        Ok(())
    }

    /// Takes the essentials out; `alone` tells which cubes IRREDUNDANT could not do without.
    fn set_aside(
        &self,
        work: &mut Working,
        alone: &[bool],
        essential: &mut Cover,
        care: &mut Care,
        stack: &mut Stack<'_>,
    ) -> Result<(), Stop> {
        if self.steps.take_essentials {
            *essential = essential::take_essential(work, alone, care, stack)?;
        }
        Ok(())
    }

    /// Lowers the cover until nothing helps. `work` holds the best cover without the essentials, which
    /// are this many.
    fn improve(
        &self,
        work: &mut Working,
        essentials: usize,
        care: &Care,
        plan: &Plan,
        expander: &mut Expander<'_, '_>,
        stack: &mut Stack<'_>,
    ) -> Result<(), Stop> {
        let mut order = Order::Likeness;
        let mut cost = work.cover.cost();
        loop {
            let before = cost;
            loop {
                let products = cost.products;
                self.tell(Phase::Loop, products + essentials);
                let mut next = work.clone();
                reduce::reduce(&mut next, care, order, stack)?;
                order = match order {
                    Order::Likeness => Order::Heaviest,
                    _ => Order::Likeness,
                };
                expander.expand(&mut next, Raise::All)?;
                irredundant::irredundant(&mut next, care, stack)?;
                let next_cost = next.cover.cost();
                if next_cost.products <= products {
                    *work = next;
                    cost = next_cost;
                }
                if next_cost.products >= products {
                    break;
                }
            }
            let settled = cost;
            let mut next = work.clone();
            gasp::gasp(&mut next, care, expander.off(), plan.reach, stack)?;
            let next_cost = next.cover.cost();
            if next_cost <= settled {
                *work = next;
                cost = next_cost;
            }
            if cost.products >= settled.products && (cost >= settled || cost >= before) {
                break;
            }
        }
        Ok(())
    }

    /// The run for functions whose OFF-set is too large to write down.
    fn run_without_off(
        &self,
        on: &Cover,
        free: &Cover,
        d: Option<&Cover>,
        budget: &Budget,
        stack: &mut Stack<'_>,
    ) -> Result<Solution, Failure> {
        budget.look()?;
        self.tell(Phase::Expand, on.len());
        let mut work = without_off::expand(on, free, stack)?;
        let care = Care { free: free.clone(), pieces: None };
        irredundant::irredundant(&mut work, &care, stack)?;
        let mut cover = work.cover;
        self.tell(Phase::Verify, cover.len());
        let patient = self.patient();
        let checks = &mut Stack::new(&self.layout, &patient);
        for c in on.cubes() {
            if !checks.covers(cover.cubes().chain(free.cubes()), c)? {
                return Err(Failure::Error(Error::NotEquivalent { reason: "an ON cube is lost" }));
            }
        }
        for c in cover.cubes() {
            if !checks.covers(on.cubes().chain(free.cubes()), c)? {
                return Err(Failure::Error(Error::NotEquivalent { reason: "an OFF point is in" }));
            }
        }
        let mut lower_bound = cover.len().min(1);
        if matches!(self.mode, Mode::Strong | Mode::Exact) {
            let inside = Inside::Union(on, free);
            lower_bound =
                lower_bound.max(products_least(&cover, &care, &inside, Patience::Much, stack)?);
        }
        sort_for_print(&mut cover);
        let cost = cover.cost();
        Ok(Solution {
            f: cover,
            d: Some(d.cloned().unwrap_or_else(|| free.clone())),
            r: None,
            cost,
            lower_bound,
            proved: cost.products <= lower_bound,
            stopped_early: false,
        })
    }
}

fn pieces_only(d: Option<&Cover>, r: Option<&Cover>) -> bool {
    d.is_none() && r.is_some()
}

/// Why a run has no answer.
pub(crate) enum Failure {
    Stop(Stop),
    Error(Error),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl Failure {
    fn into_error(self, limit_bytes: usize) -> Error {
        match self {
            Failure::Stop(stop) => stop.into_error(limit_bytes),
            Failure::Error(error) => error,
        }
    }
}

/// The complement of ON and DC together; `None` when it has too many cubes.
fn complement(on: &Cover, free: &Cover, stack: &mut Stack<'_>) -> Result<Option<Cover>, Stop> {
    let full = stack.layout.full().to_vec();
    let start = stack.push_cofactor(on.cubes().chain(free.cubes()), &full);
    let cubes_max = OFF_CUBES_MIN.max((on.len() + free.len()) * OFF_CUBES_PER_ON_CUBE);
    match stack.complement(start, cubes_max) {
        Ok(bits) => {
            let mut off = Cover::from_bits(on.layout(), bits);
            off.absorb();
            Ok(Some(off))
        }
        Err(Stop::Work | Stop::Memory) => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn check_disjoint(on: &Cover, off: &Cover, stack: &Stack<'_>) -> Result<(), Failure> {
    let layout = stack.layout;
    for (i, a) in on.cubes().enumerate() {
        stack.budget.look()?;
        for (j, b) in off.cubes().enumerate() {
            if !cube::disjoint(layout, a, b) {
                return Err(Failure::Error(Error::Contradiction { on: i, off: j }));
            }
        }
    }
    Ok(())
}

/// Each cube once for every output it has.
fn unwrapped(on: &Cover) -> Cover {
    let layout = on.layout();
    let output = layout.output_variable();
    let mut apart = Cover::empty(layout);
    for c in on.cubes() {
        for part in 0..layout.outputs() {
            let bit = layout.bit(output, part);
            if cube::has_bit(c, bit) {
                apart.push(c);
                let last = apart.len() - 1;
                let one = apart.cube_mut(last);
                for &(word, mask) in layout.spans(output) {
                    one[word as usize] &= !mask;
                }
                cube::set_bit(one, bit);
            }
        }
    }
    apart.absorb();
    apart
}

/// ON within the answer and the don't-cares, and the answer clear of OFF.
fn verify(
    problem: &Problem,
    answer: &Cover,
    off: &Blocking<'_>,
    stack: &mut Stack<'_>,
) -> Result<(), Failure> {
    let free = &problem.care.free;
    for c in problem.on.cubes() {
        if !answer.cubes().any(|a| cube::within(c, a))
            && !stack.covers(answer.cubes().chain(free.cubes()), c)?
        {
            return Err(Failure::Error(Error::NotEquivalent { reason: "an ON cube is lost" }));
        }
    }
    for a in answer.cubes() {
        stack.budget.tick()?;
        let clear = off.is_clear(a);
        debug_assert_eq!(clear, problem.off.cubes().all(|r| cube::disjoint(stack.layout, a, r)));
        if !clear {
            return Err(Failure::Error(Error::NotEquivalent { reason: "an OFF point is in" }));
        }
    }
    Ok(())
}

/// Descending by words from the first variable on, so that equal covers print alike.
pub(crate) fn sort_for_print(cover: &mut Cover) {
    let mut order: Vec<u32> = (0..cover.len() as u32).collect();
    order.sort_by(|&a, &b| cover.cube(b as usize).cmp(cover.cube(a as usize)));
    *cover = cover.reordered(&order);
}
