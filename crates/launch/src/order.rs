//! What the launcher is told: one JSON object on one line of its standard input.
//!
//! ```json
//! {"program":"/usr/bin/node","args":["app.mjs"],"env":{"PATH":"/usr/bin"},"cwd":"/store/host/apps/till/data",
//!  "bootstrap":"{...}","outLog":{"path":"/store/host/apps/till/log/out.log","bytesMax":1048576},
//!  "orphan":{"afterMs":60000,"graceMs":10000},
//!  "confinement":{"groups":["/sys/fs/cgroup/.../cgroup.procs"],"dataBytes":134217728}}
//! ```
//!
//! A field that is not known is refused: whoever wrote it believes in a limit that nobody would hold.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

/// Longest order. A page's command line and a bootstrap text fit many times over.
pub(crate) const ORDER_BYTES_MAX: usize = 4 << 20;
/// Longest bootstrap text: what an unprivileged process may make a pipe hold.
pub(crate) const BOOTSTRAP_BYTES_MAX: usize = 1 << 20;
/// Smallest log that still says something.
pub(crate) const LOG_BYTES_MIN: u64 = 4096;

/// The order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// Absolute path of the program.
    pub(crate) program: PathBuf,
    /// Its arguments, without its name.
    pub(crate) args: Vec<String>,
    /// Its whole environment.
    pub(crate) env: BTreeMap<String, String>,
    /// Its working folder.
    pub(crate) cwd: PathBuf,
    /// Text that it finds on file descriptor 3, readable once.
    pub(crate) bootstrap: Option<String>,
    /// Descriptors 3 and 4 become the DevTools pipe of a browser, served on a socket.
    pub(crate) devtools: Option<Devtools>,
    /// Where its output goes.
    pub(crate) out_log: OutLog,
    /// How long it goes on without a supervisor; for ever where this is absent.
    pub(crate) orphan: Option<Orphan>,
    /// What is put around it.
    #[serde(default)]
    pub(crate) confinement: Confinement,
}

/// The end of an app that nobody watches.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Orphan {
    /// Milliseconds without a supervisor after which it is asked to end.
    pub(crate) after_ms: u64,
    /// Milliseconds that it then has before it is ended.
    pub(crate) grace_ms: u64,
}

/// The socket of a DevTools pipe.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Devtools {
    /// Path of the socket; what is there is replaced.
    pub(crate) socket: PathBuf,
}

/// The log of an app's output: `out.log`, and `out.1.log` before it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OutLog {
    /// Path of the newer generation.
    pub(crate) path: PathBuf,
    /// Bytes of one generation.
    pub(crate) bytes_max: u64,
}

/// Limits and boundaries. What is absent is not set.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Confinement {
    /// Files `cgroup.procs` that the process writes itself into.
    #[serde(default)]
    pub(crate) groups: Vec<PathBuf>,
    /// RLIMIT_DATA, bytes.
    pub(crate) data_bytes: Option<u64>,
    /// RLIMIT_NPROC.
    pub(crate) processes: Option<u64>,
    /// RLIMIT_NOFILE.
    pub(crate) files: Option<u64>,
    /// CPU of the whole tree in millionths of one core, held by stopping and continuing it.
    pub(crate) cpu_ppm: Option<u64>,
    /// Anonymous resident bytes of the whole tree over which it is ended.
    pub(crate) poll_bytes: Option<u64>,
    /// User and group; only root may change them. Supplementary groups and capabilities are dropped.
    pub(crate) user: Option<User>,
    /// What stays within reach of the file system and the network (Landlock).
    pub(crate) reach: Option<Reach>,
    /// A program that gains rights by its file (a setuid sandbox) keeps that way open.
    #[serde(default)]
    pub(crate) may_gain_privileges: bool,
}

/// Who the process runs as.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct User {
    /// User.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
}

/// Folders and files that stay within reach; paths that do not exist are left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reach {
    /// Read, list and execute.
    pub(crate) read: Vec<PathBuf>,
    /// Everything.
    pub(crate) write: Vec<PathBuf>,
    /// Nothing runs unless the kernel holds all of it.
    #[serde(default)]
    pub(crate) required: bool,
    /// TCP: bind and connect.
    pub(crate) tcp: bool,
    /// Sockets without a file, on which a display may listen.
    #[serde(default)]
    pub(crate) abstract_sockets: bool,
}

/// Why nothing runs.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where it failed: `order`, `log`, `groups`, `limits`, `user`, `reach`, `exec` and others.
    pub(crate) step: String,
    /// The system's number, where there is one.
    pub(crate) errno: Option<i32>,
    /// A sentence.
    pub(crate) message: String,
}

impl Fault {
    /// A refusal without a number.
    pub(crate) fn refused(step: &str, message: impl Into<String>) -> Self {
        Self { step: step.to_owned(), errno: None, message: message.into() }
    }

    /// Turns an error of the system into a fault of a step.
    pub(crate) fn at(step: &str, what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self {
            step: step.to_owned(),
            errno: error.raw_os_error(),
            message: format!("{what}: {error}"),
        }
    }

    /// The line that says it.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let Self { step, errno, message } = self;
        serde_json::json!({ "error": { "step": step, "errno": errno, "message": message } })
    }
}

impl Order {
    /// Reads an order.
    ///
    /// # Errors
    ///
    /// The field that is refused, and why.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Fault> {
        let order: Self = serde_json::from_slice(line)
            .map_err(|error| Fault::refused("order", format!("the order is refused: {error}")))?;
        order.check()?;
        Ok(order)
    }

    fn check(&self) -> Result<(), Fault> {
        let paths =
            [("program", &self.program), ("cwd", &self.cwd), ("outLog.path", &self.out_log.path)];
        for (name, path) in paths {
            if !path.is_absolute() {
                let message = format!("{name} must be an absolute path, not {}", path.display());
                return Err(Fault::refused("order", message));
            }
        }
        if self.out_log.bytes_max < LOG_BYTES_MIN {
            let found = self.out_log.bytes_max;
            let message = format!("outLog.bytesMax is {found}; {LOG_BYTES_MIN} is the least");
            return Err(Fault::refused("order", message));
        }
        if self.bootstrap.is_some() && self.devtools.is_some() {
            let message = "bootstrap and devtools both want descriptor 3; give one of them";
            return Err(Fault::refused("order", message));
        }
        let bootstrap = self.bootstrap.as_ref().map_or(0, String::len);
        if bootstrap > BOOTSTRAP_BYTES_MAX {
            let message =
                format!("bootstrap is {bootstrap} bytes; {BOOTSTRAP_BYTES_MAX} is the most");
            return Err(Fault::refused("order", message));
        }
        if self.confinement.cpu_ppm == Some(0) {
            return Err(Fault::refused("order", "confinement.cpuPpm is 0; 1 is the least"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(more: &str) -> String {
        format!(
            r#"{{"program":"/bin/true","args":[],"env":{{}},"cwd":"/","outLog":{{"path":"/x/out.log","bytesMax":65536}}{more}}}"#
        )
    }

    #[test]
    fn a_short_order_is_read() {
        let order = Order::parse(order("").as_bytes()).expect("read");
        assert!(order.confinement.groups.is_empty());
        assert!(order.bootstrap.is_none());
    }

    #[test]
    fn a_limit_that_nobody_knows_is_refused() {
        let text = order(r#","confinement":{"memory":1}"#);
        let fault = Order::parse(text.as_bytes()).expect_err("refused");
        assert_eq!(fault.step, "order");
        assert!(fault.message.contains("memory"), "{}", fault.message);
    }

    #[test]
    fn descriptor_3_is_one_thing() {
        let text = order(r#","bootstrap":"{}","devtools":{"socket":"/x/s"}"#);
        let fault = Order::parse(text.as_bytes()).expect_err("refused");
        assert!(fault.message.contains("descriptor 3"), "{}", fault.message);
    }

    #[test]
    fn a_relative_program_is_refused() {
        let text = order("").replace("/bin/true", "true");
        let fault = Order::parse(text.as_bytes()).expect_err("refused");
        assert!(fault.message.contains("program"), "{}", fault.message);
    }
}
