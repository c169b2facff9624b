//! Questions and operations on covers as sets of points, under the caps of a minimiser.
//!
//! They fall out of the recursions that the minimiser stands on. Each takes covers of the minimiser's
//! layout and gives a cover without contained cubes; none changes its operands.

use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;
use crate::error::Error;
use crate::minimizer::Minimizer;
use crate::primes;
use crate::recurse::Stack;

/// Pairs of cubes that a search for all primes may compare.
const PRIMES_WORK: u64 = 40_000_000_000;

/// What [`Minimizer::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer holds all of ON and nothing of OFF.
    Equivalent,
    /// The ON cube of this index is not covered.
    Lost {
        /// Index in the ON cover.
        on: usize,
    },
    /// The product of this index holds a point that must be 0.
    TooLarge {
        /// Index in the answer.
        product: usize,
    },
}

impl Minimizer {
    fn operate<T>(
        &self,
        covers: &[&Cover],
        operation: impl FnOnce(&mut Stack<'_>, &Budget) -> Result<T, Stop>,
    ) -> Result<T, Error> {
        if covers.iter().any(|cover| **cover.layout() != *self.layout) {
            return Err(Error::LayoutMismatch { which: "given" });
        }
        let budget = self.budget();
        let mut stack = Stack::new(&self.layout, &budget);
        budget
            .look()
            .and_then(|()| operation(&mut stack, &budget))
            .map_err(|stop| stop.into_error(budget.memory_bytes))
    }

    fn complement_of(&self, a: &Cover, stack: &mut Stack<'_>) -> Result<Cover, Stop> {
        let start = stack.push_cofactor(a.cubes(), self.layout.full());
        let cubes_max = stack.budget.memory_bytes / (self.layout.words() * 8);
        let mut rest = Cover::from_bits(&self.layout, stack.complement(start, cubes_max)?);
        rest.absorb();
        Ok(rest)
    }

    /// The points that are not in `a`.
    ///
    /// # Errors
    /// [`Error::LayoutMismatch`], and the caps: [`Error::Cancelled`], [`Error::TimeLimit`],
    /// [`Error::MemoryLimit`]. The same holds for the other operations.
    pub fn complement(&self, a: &Cover) -> Result<Cover, Error> {
        self.operate(&[a], |stack, _| self.complement_of(a, stack))
    }

    /// The points in `a` or in `b`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn union(&self, a: &Cover, b: &Cover) -> Result<Cover, Error> {
        self.operate(&[a, b], |_, _| {
            let mut both = a.clone();
            both.extend(b);
            both.absorb();
            Ok(both)
        })
    }

    /// The points in `a` and in `b`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn intersection(&self, a: &Cover, b: &Cover) -> Result<Cover, Error> {
        self.operate(&[a, b], |_, budget| self.meet(a, b, budget))
    }

    /// The points in `a` and not in `b`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn difference(&self, a: &Cover, b: &Cover) -> Result<Cover, Error> {
        self.operate(&[a, b], |stack, _| self.outside(a, b, stack))
    }

    /// The points in exactly one of `a` and `b`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn symmetric_difference(&self, a: &Cover, b: &Cover) -> Result<Cover, Error> {
        self.operate(&[a, b], |stack, _| {
            let mut one = self.outside(a, b, stack)?;
            one.extend(&self.outside(b, a, stack)?);
            one.absorb();
            Ok(one)
        })
    }

    /// Whether every point is in `a`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn is_tautology(&self, a: &Cover) -> Result<bool, Error> {
        self.operate(&[a], |stack, _| stack.covers(a.cubes(), self.layout.full()))
    }

    /// Whether every point of `b` is in `a`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn contains(&self, a: &Cover, b: &Cover) -> Result<bool, Error> {
        self.operate(&[a, b], |stack, _| Ok(Self::first_outside(a, b, stack)?.is_none()))
    }

    /// Whether `a` and `b` hold the same points.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn is_equal(&self, a: &Cover, b: &Cover) -> Result<bool, Error> {
        Ok(self.contains(a, b)? && self.contains(b, a)?)
    }

    /// All primes of the function that is 1 or either on `f` and `d`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`]; [`Error::MemoryLimit`] also stands for too much work.
    pub fn primes(&self, f: &Cover, d: Option<&Cover>) -> Result<Cover, Error> {
        let nothing = Cover::empty(&self.layout);
        let d = d.unwrap_or(&nothing);
        self.operate(&[f, d], |stack, budget| {
            let entries = primes::Dense::entries(&self.layout);
            let mut all = if entries.is_some_and(|n| n <= budget.memory_bytes / 32) {
                let mut inside = f.clone();
                inside.extend(d);
                let off = self.complement_of(&inside, stack)?;
                let cubes_max = budget.memory_bytes / (self.layout.words() * 8);
                primes::Dense::new(&self.layout, &off, budget)?.primes(cubes_max, budget)?
            } else {
                let cubes = f.cubes().chain(d.cubes());
                primes::all_primes(&self.layout, cubes, PRIMES_WORK, stack)?
            };
            crate::minimizer::sort_for_print(&mut all);
            Ok(all)
        })
    }

    /// Whether `answer` is right for the function: all of ON outside `d` is in it, and nothing of OFF.
    /// OFF is `r` if given, else what is in neither `f` nor `d`.
    ///
    /// # Errors
    /// As [`Minimizer::complement`].
    pub fn verify(
        &self,
        answer: &Cover,
        f: &Cover,
        d: Option<&Cover>,
        r: Option<&Cover>,
    ) -> Result<Verdict, Error> {
        let nothing = Cover::empty(&self.layout);
        let d = d.unwrap_or(&nothing);
        let mut covers = vec![answer, f, d];
        covers.extend(r);
        self.operate(&covers, |stack, budget| {
            let mut allowed = answer.clone();
            allowed.extend(d);
            if let Some(on) = Self::first_outside(&allowed, f, stack)? {
                return Ok(Verdict::Lost { on });
            }
            let product = match r {
                Some(off) => {
                    let mut found = None;
                    for (index, product) in answer.cubes().enumerate() {
                        budget.look()?;
                        let meets = |o: &[u64]| !cube::disjoint(&self.layout, product, o);
                        if off.cubes().any(meets) {
                            found = Some(index);
                            break;
                        }
                    }
                    found
                }
                None => {
                    let mut inside = f.clone();
                    inside.extend(d);
                    Self::first_outside(&inside, answer, stack)?
                }
            };
            Ok(product.map_or(Verdict::Equivalent, |product| Verdict::TooLarge { product }))
        })
    }

    /// The first cube of `b` that is not within the union of `a`.
    fn first_outside(a: &Cover, b: &Cover, stack: &mut Stack<'_>) -> Result<Option<usize>, Stop> {
        for (index, c) in b.cubes().enumerate() {
            if !stack.covers(a.cubes(), c)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn meet(&self, a: &Cover, b: &Cover, budget: &Budget) -> Result<Cover, Stop> {
        let mut both = Cover::empty(&self.layout);
        let mut part = vec![0; self.layout.words()];
        for a in a.cubes() {
            budget.look()?;
            budget.hold(both.words().len() * 8)?;
            for b in b.cubes() {
                for ((part, a), b) in part.iter_mut().zip(a).zip(b) {
                    *part = a & b;
                }
                if !cube::is_empty(&self.layout, &part) {
                    both.push(&part);
                }
            }
        }
        both.absorb();
        Ok(both)
    }

    fn outside(&self, a: &Cover, b: &Cover, stack: &mut Stack<'_>) -> Result<Cover, Stop> {
        let mut rest = Cover::empty(&self.layout);
        let cubes_max = stack.budget.memory_bytes / (self.layout.words() * 8);
        for c in a.cubes() {
            // Inside the cube `b` is small, and so is its complement there.
            let start = stack.push_cofactor(b.cubes(), c);
            let mut part = Cover::from_bits(&self.layout, stack.complement(start, cubes_max)?);
            for index in 0..part.len() {
                cube::and_into(part.cube_mut(index), c);
            }
            part.retain_points();
            rest.extend(&part);
            stack.budget.hold(rest.words().len() * 8)?;
        }
        rest.absorb();
        Ok(rest)
    }
}
