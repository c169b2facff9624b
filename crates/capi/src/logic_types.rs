//! What crosses the border of the minimiser, laid out for C.

use crate::types::{Structure, structures};

/// A function of a thread: its dimensions, its sets, its answer; 0 is none. It belongs to the thread
/// that set it up and is not found on another.
pub type PlFunction = u64;

/// Where the function must be 1: a set that rows are added to.
pub const PL_ON: u32 = 1;
/// Where it may be either.
pub const PL_DC: u32 = 2;
/// Where it must be 0.
pub const PL_OFF: u32 = 4;
/// Of the answer: the minimised cover.
pub const PL_F: u32 = 8;
/// Of the answer: the don't-cares.
pub const PL_D: u32 = 16;
/// Of the answer: the OFF-set.
pub const PL_R: u32 = 32;

/// The dimensions of the current function. A cube is `words` words of 64 bits; a variable with p
/// values has p neighbouring bits, and a set bit allows that value.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PlCube {
    /// Set it to sizeof.
    pub struct_size: u32,
    /// 64-bit words of a cube.
    pub words: u32,
    /// Binary inputs, multi-valued inputs, and all outputs together as the last.
    pub variables: u32,
    /// How many of them are inputs.
    pub inputs: u32,
    /// How many of the inputs are binary; they come first.
    pub binaries: u32,
    /// Outputs: the values of the last variable.
    pub outputs: u32,
}

/// One variable of the current function.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PlVariable {
    /// Set it to sizeof.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Where its bits begin: bit `first_bit % 64` of word `first_bit / 64`.
    pub first_bit: u32,
    /// How many values it has; 2 when it is binary.
    pub parts: u32,
}

/// What a run found.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PlAnswer {
    /// Set it to sizeof.
    pub struct_size: u32,
    /// 1 when no cover can have fewer products.
    pub proved: i32,
    /// 1 when a limit ended the run before it had settled.
    pub stopped_early: i32,
    /// Zero.
    pub reserved: u32,
    /// Cubes of the minimised cover.
    pub products: u64,
    /// All literals: the three below together.
    pub literals: u64,
    /// Literals of binary inputs.
    pub input_literals: u64,
    /// Ones in the fields of multi-valued inputs.
    pub valued_literals: u64,
    /// Ones in the output fields.
    pub output_literals: u64,
    /// No cover has fewer products than this.
    pub lower_bound: u64,
}

structures! {
    PlCube = 24,
    PlVariable = 16,
    PlAnswer = 64,
}
