//! The version of the interface. The program that makes the header reads this file too, because a
//! library for C cannot be linked into a program of Rust.

/// One more when a host that was built against the last one may not work any longer.
pub(crate) const MAJOR: u32 = 1;

/// One more when something was added.
pub(crate) const MINOR: u32 = 2;
