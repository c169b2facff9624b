//! Which bits of a cube belong to which variable.
//!
//! A variable with p values owns p neighbouring bits; a set bit means "this value is allowed".
//! Binary variables come first, 32 to a word, value 0 in the low bit:
//!
//! ```text
//!   bit   1 0    01 value 0    10 value 1    11 both (don't care)    00 none: the cube is empty
//! ```
//!
//! All outputs together are one more variable, the last. A variable of up to 64 values never
//! straddles a word, a larger one starts on a fresh word, and padding bits are 0 in every cube, so
//! one mask per word is enough to look at a field.

use crate::error::Error;

/// Most binary and multi-valued variables one layout may have.
pub const VARIABLES_MAX: usize = 1 << 16;
/// Most values of one variable, and most outputs.
pub const PARTS_MAX: usize = 1 << 16;
/// Most bits of one cube.
pub const CUBE_BITS_MAX: usize = 1 << 18;

/// One variable of a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Position of its first bit in the cube.
    pub first_bit: usize,
    /// Number of values; 2 for a binary variable.
    pub parts: usize,
}

/// The shape of all cubes of one function: its variables and where their bits lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    words: usize,
    binaries: usize,
    variables: Vec<Variable>,
    /// Per variable, where its spans start in `spans`; one more entry closes the last.
    span_starts: Vec<u32>,
    /// (word, mask) pairs.
    spans: Vec<(u32, u64)>,
    full: Vec<u64>,
    /// The low bit of every binary field, per word.
    binary_low: Vec<u64>,
    variable_of_bit: Vec<u32>,
}

impl Layout {
    /// A layout of `binaries` binary inputs, multi-valued inputs of the sizes `valued`, and
    /// `outputs` outputs.
    ///
    /// # Errors
    /// [`Error::BadLayout`] for no outputs, a size of 0, or more than the limits of this module.
    pub fn new(binaries: usize, valued: &[usize], outputs: usize) -> Result<Layout, Error> {
        let bad = |reason: &'static str| Error::BadLayout { reason };
        if binaries.saturating_add(valued.len()) >= VARIABLES_MAX {
            return Err(bad("more variables than the limit of 65,536"));
        }
        if outputs == 0 {
            return Err(bad("a function needs at least one output"));
        }
        if valued.contains(&0) {
            return Err(bad("a variable needs at least one value"));
        }
        if valued.iter().any(|&size| size > PARTS_MAX) || outputs > PARTS_MAX {
            return Err(bad("more values or outputs than the limit of 65,536"));
        }
        let sizes = std::iter::repeat_n(2, binaries)
            .chain(valued.iter().copied())
            .chain(std::iter::once(outputs));
        let mut variables = Vec::new();
        let mut bit = 0;
        for parts in sizes {
            if bit % 64 + parts > 64 {
                bit = usize::div_ceil(bit, 64) * 64;
            }
            variables.push(Variable { first_bit: bit, parts });
            bit += parts;
            if bit > CUBE_BITS_MAX {
                return Err(bad("a cube would be longer than the limit of 262,144 bits"));
            }
        }
        Ok(Self::place(binaries, variables, usize::div_ceil(bit, 64)))
    }

    fn place(binaries: usize, variables: Vec<Variable>, words: usize) -> Layout {
        let mut layout = Layout {
            words,
            binaries,
            span_starts: vec![0],
            spans: Vec::new(),
            full: vec![0; words],
            binary_low: vec![0; words],
            variable_of_bit: vec![u32::MAX; words * 64],
            variables,
        };
        for index in 0..layout.variables.len() {
            let Variable { first_bit, parts } = layout.variables[index];
            for bit in first_bit..first_bit + parts {
                let (word, mask) = (bit / 64, 1u64 << (bit % 64));
                layout.full[word] |= mask;
                layout.variable_of_bit[bit] = index as u32;
                let started = layout.spans.len() > layout.span_starts[index] as usize;
                match layout.spans.last_mut() {
                    Some(span) if started && span.0 as usize == word => span.1 |= mask,
                    _ => layout.spans.push((word as u32, mask)),
                }
            }
            if index < binaries {
                layout.binary_low[first_bit / 64] |= 1 << (first_bit % 64);
            }
            layout.span_starts.push(layout.spans.len() as u32);
        }
        layout
    }

    /// 64-bit words per cube.
    pub fn words(&self) -> usize {
        self.words
    }
    /// Number of binary input variables; they come first.
    pub fn binaries(&self) -> usize {
        self.binaries
    }
    /// All variables: binary inputs, multi-valued inputs, and the outputs as the last.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
    /// Number of input variables, binary and multi-valued.
    pub fn inputs(&self) -> usize {
        self.variables.len() - 1
    }
    /// The variable that stands for all outputs.
    pub fn output_variable(&self) -> usize {
        self.variables.len() - 1
    }
    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.variables[self.output_variable()].parts
    }
    /// Sizes of the multi-valued inputs.
    pub fn valued(&self) -> Vec<usize> {
        self.variables[self.binaries..self.inputs()].iter().map(|v| v.parts).collect()
    }
    /// The cube that allows everything.
    pub fn full(&self) -> &[u64] {
        &self.full
    }
    pub(crate) fn binary_low(&self) -> &[u64] {
        &self.binary_low
    }
    /// The (word, mask) pairs of a variable.
    #[inline]
    pub(crate) fn spans(&self, variable: usize) -> &[(u32, u64)] {
        &self.spans[self.span_starts[variable] as usize..self.span_starts[variable + 1] as usize]
    }
    #[inline]
    pub(crate) fn variable_of_bit(&self, bit: usize) -> usize {
        self.variable_of_bit[bit] as usize
    }
    /// The bit of value `part` of `variable`.
    pub fn bit(&self, variable: usize, part: usize) -> usize {
        debug_assert!(part < self.variables[variable].parts);
        self.variables[variable].first_bit + part
    }
}
