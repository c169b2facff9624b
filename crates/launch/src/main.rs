//! `pos-kernel-launch`: starts one app, confined, and stays as its parent until it is gone.
//!
//! ```text
//!   supervisor ── one line: the order ──► launcher ── fork ──► groups, limits, privileges, reach, user ── exec ──► app
//!              ── further lines: kill ──►    │  out.log ◄──────────────── output ──────────────────────────────────┤
//!              ◄── line 1: who runs ──       │  holds CPU and memory where no control group does                   │
//!              ◄── line 2: how it ended ──   └─ ends what is left of it, writes exit.json ◄────────── end ─────────┘
//! ```
//!
//! What lives here: the one process between a supervisor and an app. It outlives its supervisor, since an end
//! that nobody saw is an end that nobody can explain; and it takes its app along when it is killed itself. What
//! must not: any decision about the app's life but that nobody is left to make one, any knowledge of sales, threads
//! (the app is made by `fork`).
//!
//! The promises guarded here: **an app runs confined as ordered or not at all**; its first instruction is within
//! its limits; its end is written down once, whole, and nothing of it is left then.
//!
//! Its one argument is the folder of the run, which no app can write: by it a supervisor finds launchers that it does
//! not know.
//!
//! Read `order.rs` first (what it is told), then `child.rs` (what is put around the app), `stay.rs` (what it
//! does while the app runs), `orders.rs` and `orphan.rs` (who watches it, and for how long nobody may). `os.rs` holds the calls that no safe crate offers, and all `unsafe` of this crate.

#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod devtools;
#[cfg(target_os = "linux")]
mod group;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod order;
#[cfg(target_os = "linux")]
mod orders;
#[cfg(target_os = "linux")]
mod orphan;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod os;
#[cfg(target_os = "linux")]
mod pace;
#[cfg(target_os = "linux")]
mod record;
#[cfg(target_os = "linux")]
mod stay;
#[cfg(target_os = "linux")]
mod tree;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;
    match stay::launch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            record::say(&fault.to_json());
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    let message = "this system has none of what confines an app; the launcher is for Linux";
    println!(
        "{}",
        serde_json::json!({ "error": { "step": "system", "errno": null, "message": message } })
    );
    std::process::ExitCode::FAILURE
}
