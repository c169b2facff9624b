//! All primes of a function, and the covering problem over them.
//!
//! A prime is a cube within ON ∪ DC that no raise leaves there. Two ways lead to all of them:
//! `dense.rs` writes the answer for every cube of the input space into one table, which is quickest
//! for few inputs; `wide.rs` splits and merges and knows no table, for functions of many inputs and
//! few primes. Both give up, rather than hang, when their caps are reached.

mod dense;
mod wide;

pub(crate) use dense::Dense;
pub(crate) use wide::all_primes;

#[cfg(test)]
mod primes_test;
