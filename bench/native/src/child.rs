//! Child processes of the benchmark: the same program again, with or without the flush shim.
//!
//! Every measurement runs in a child, so that memory starts clean, a crash is a result and not the
//! end, and the shim touches nothing but the store under measurement.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::store::Outcome;

/// What a flush costs in the child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flush {
    /// What the device charges.
    Real,
    /// So much more.
    Slow(Duration),
    /// Nothing: it does not reach the device.
    Skipped,
}

/// What became of a child that was waited for.
pub enum End {
    /// It ended by itself with exit code 0; its output, line by line.
    Answered(Vec<Value>),
    /// It ended with an error code, a panic or a signal.
    Died(ExitStatus),
    /// It did not end in time and was killed.
    Hung,
}

/// Starts this program again with `arguments`.
fn start(arguments: &[String], flush: Flush, quiet: bool) -> Outcome<Child> {
    // Not by its path: if the program is built again meanwhile, the path leads to another one.
    let mut command = Command::new("/proc/self/exe");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    if quiet {
        command.stderr(Stdio::null());
    }
    match flush {
        Flush::Real => {}
        Flush::Slow(delay) => {
            command.env("LD_PRELOAD", shim()?);
            command.env("SLOWSYNC_DELAY_US", delay.as_micros().to_string());
        }
        Flush::Skipped => {
            command.env("LD_PRELOAD", shim()?);
            command.env("SLOWSYNC_SKIP", "1");
        }
    }
    Ok(command.spawn()?)
}

/// Runs a child to its end and returns the lines it printed. Anything but success is an error.
pub fn run(arguments: &[String], flush: Flush) -> Outcome<Vec<Value>> {
    let mut child = start(arguments, flush, false)?;
    let lines = read_lines(child.stdout.take())?;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("`{}` ended with {status}", arguments.join(" ")).into());
    }
    Ok(lines)
}

/// Runs a child whose death is an answer too.
pub fn attempt(arguments: &[String], limit: Duration) -> Outcome<End> {
    let mut child = start(arguments, Flush::Real, true)?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(End::Hung);
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    // The answer is one short line, which fits a pipe: the child could end before it was read.
    let lines = read_lines(child.stdout.take())?;
    Ok(if status.success() { End::Answered(lines) } else { End::Died(status) })
}

/// Starts a child, waits until it prints a line, and kills it with SIGKILL in that state.
pub fn kill_when_ready(arguments: &[String], flush: Flush) -> Outcome<Value> {
    let mut child = start(arguments, flush, false)?;
    let stdout = child.stdout.take().ok_or("the child has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    child.kill()?;
    child.wait()?;
    serde_json::from_str(&line)
        .map_err(|_unreadable| format!("`{}` did not get ready", arguments.join(" ")).into())
}

/// Says whether this process really runs under the shim. A store measured without it would look as
/// if it ignored flushes.
pub fn check_shim() -> Outcome<()> {
    let wanted = ["SLOWSYNC_DELAY_US", "SLOWSYNC_SKIP"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if wanted && !std::fs::read_to_string("/proc/self/maps")?.contains("slowsync.so") {
        return Err("the flush shim was asked for but is not loaded".into());
    }
    Ok(())
}

fn read_lines(stdout: Option<ChildStdout>) -> Outcome<Vec<Value>> {
    let mut text = String::new();
    stdout.ok_or("the child has no output")?.read_to_string(&mut text)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Builds the shim if need be: its path.
fn shim() -> Outcome<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/build.sh");
    let output = Command::new("sh").arg(script).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the flush shim could not be built; is gcc there?".into());
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}
