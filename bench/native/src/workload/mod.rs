//! The workloads. `pace` runs inside one child process for one peer and one round; `recovery` and
//! `damage` start several children, because their subject is a process that was killed.

pub mod damage;
pub mod pace;
pub mod recovery;
