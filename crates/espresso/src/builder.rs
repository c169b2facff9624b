//! Functions of binary inputs in the shortest words: rows of 0, 1 and 2, and a minimiser for them.
//!
//! [`CoverBuilder`] and [`Espresso`] are a thin face over [`Cover`] and [`Minimizer`] for those who
//! have no multi-valued inputs and need no caps. A mistake in a row is kept until
//! [`CoverBuilder::build`], so that rows can be added without a question mark behind each.

use std::sync::Arc;

use crate::cover::Cover;
use crate::cube;
use crate::error::Error;
use crate::layout::Layout;
use crate::minimizer::{Minimizer, Mode, Solution};

/// Builds a cover row by row.
///
/// ```
/// use pos_kernel_espresso::{CoverBuilder, Espresso};
///
/// let mut builder = CoverBuilder::new(2, 1);
/// builder.add_cube(&[0, 1], &[1]);
/// builder.add_cube(&[1, 1], &[1]);
/// let solution = Espresso::new(2, 1).minimize(builder.build()?, None, None)?;
/// assert_eq!(solution.f.rows(), vec![(vec![2, 1], vec![1])]);
/// # Ok::<(), pos_kernel_espresso::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CoverBuilder {
    cover: Result<Cover, Error>,
}

impl CoverBuilder {
    /// A cover without rows, over `inputs` binary inputs and `outputs` outputs.
    pub fn new(inputs: usize, outputs: usize) -> CoverBuilder {
        let cover = Layout::new(inputs, &[], outputs).map(|layout| Cover::empty(&Arc::new(layout)));
        CoverBuilder { cover }
    }

    /// A cover without rows, over the inputs and outputs of a layout without multi-valued inputs.
    pub fn over(layout: &Arc<Layout>) -> CoverBuilder {
        let cover = if layout.inputs() == layout.binaries() {
            Ok(Cover::empty(layout))
        } else {
            Err(Error::BadLayout { reason: "rows of 0, 1 and 2 need binary inputs" })
        };
        CoverBuilder { cover }
    }

    /// Adds a row: for each input 0, 1, or 2 for both; for each output 1 if the row is in its set.
    pub fn add_cube(&mut self, inputs: &[u8], outputs: &[u8]) -> &mut CoverBuilder {
        if let Ok(cover) = &mut self.cover
            && let Err(error) = add_row(cover, inputs, outputs)
        {
            self.cover = Err(error);
        }
        self
    }

    /// The cover.
    ///
    /// # Errors
    /// [`Error::BadLayout`] for sizes beyond the limits; [`Error::BadCube`] for the first row that
    /// had the wrong length or a number that means nothing.
    pub fn build(&self) -> Result<Cover, Error> {
        self.cover.clone()
    }
}

pub(crate) fn add_row(cover: &mut Cover, inputs: &[u8], outputs: &[u8]) -> Result<(), Error> {
    let layout = Arc::clone(cover.layout());
    if layout.inputs() > layout.binaries() {
        return Err(Error::BadLayout { reason: "rows of 0, 1 and 2 need binary inputs" });
    }
    if inputs.len() != layout.binaries() {
        return Err(Error::BadCube { reason: "one number for each input" });
    }
    if outputs.len() != layout.outputs() {
        return Err(Error::BadCube { reason: "one number for each output" });
    }
    let mut words = vec![0; layout.words()];
    for (variable, &input) in inputs.iter().enumerate() {
        let bit = layout.bit(variable, 0);
        match input {
            0 | 1 => cube::set_bit(&mut words, bit + usize::from(input)),
            2 => {
                cube::set_bit(&mut words, bit);
                cube::set_bit(&mut words, bit + 1);
            }
            _ => return Err(Error::BadCube { reason: "an input is 0, 1 or 2 (both)" }),
        }
    }
    for (part, &output) in outputs.iter().enumerate() {
        match output {
            0 => {}
            1 => cube::set_bit(&mut words, layout.bit(layout.output_variable(), part)),
            _ => return Err(Error::BadCube { reason: "an output is 0 or 1" }),
        }
    }
    cover.push_words(&words)
}

impl Cover {
    /// The rows as [`CoverBuilder::add_cube`] takes them. Multi-valued inputs are left out.
    pub fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let layout = self.layout();
        let output = layout.output_variable();
        self.cubes()
            .map(|c| {
                let inputs = (0..layout.binaries())
                    .map(|v| {
                        let has = |part| cube::has_bit(c, layout.bit(v, part));
                        if has(0) && has(1) { 2 } else { u8::from(has(1)) }
                    })
                    .collect();
                let outputs = (0..layout.outputs())
                    .map(|part| u8::from(cube::has_bit(c, layout.bit(output, part))))
                    .collect();
                (inputs, outputs)
            })
            .collect()
    }
}

/// A minimiser for functions of binary inputs. It holds no state between calls: one value may serve
/// any number of threads, and any mix of sizes may run side by side.
#[derive(Debug, Clone)]
pub struct Espresso {
    minimizer: Result<Minimizer, Error>,
}

impl Espresso {
    /// A minimiser for functions of `inputs` binary inputs and `outputs` outputs.
    pub fn new(inputs: usize, outputs: usize) -> Espresso {
        let minimizer =
            Layout::new(inputs, &[], outputs).map(|layout| Minimizer::new(&Arc::new(layout)));
        Espresso { minimizer }
    }

    /// Sets how much work goes into an answer.
    pub fn mode(self, mode: Mode) -> Espresso {
        Espresso { minimizer: self.minimizer.map(|minimizer| minimizer.mode(mode)) }
    }

    /// Minimises the function with ON-set `f`, don't-cares `d` and OFF-set `r`, with the meaning that
    /// [`Minimizer::minimize`] gives them.
    ///
    /// # Errors
    /// [`Error::BadLayout`] when the sizes were beyond the limits, else as [`Minimizer::minimize`].
    pub fn minimize(
        &self,
        f: Cover,
        d: Option<Cover>,
        r: Option<Cover>,
    ) -> Result<Solution, Error> {
        let minimizer = self.minimizer.as_ref().map_err(Clone::clone)?;
        minimizer.minimize(&f, d.as_ref(), r.as_ref())
    }
}
