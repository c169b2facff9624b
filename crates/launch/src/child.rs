//! From `fork` to `exec`: what is put around the app before its first instruction.
//!
//! ```text
//!   groups     while this is still root and the whole file system in reach; later allocations are charged there
//!   session    own session and process group: a terminal's signals are not its own, and it can be signalled as one
//!   limits     data, processes, files; no core file of till memory
//!   privileges no program that it starts gains rights by its file
//!   reach      Landlock: rules are made with the rights of root, and hold from here on
//!   user       supplementary groups, group, user; then no capability is left
//!   parent     it dies with its launcher; asked again, since the launcher may be gone already
//!   exec
//! ```
//!
//! A step that fails is told to the launcher, and the app never was.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{
    Gid, Pid, Resource, Rlimit, Signal, Uid, chdir, getppid, set_parent_process_death_signal,
    setrlimit, setsid,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::order::{Confinement, Fault, Order, Reach, User};
use crate::os;

/// Newest rules that this program knows; older kernels hold what they know of them.
const LANDLOCK: ABI = ABI::V7;

/// What the child is given.
pub(crate) struct Ends<'a> {
    /// Both its outputs.
    pub(crate) output: BorrowedFd<'a>,
    /// Descriptor 3.
    pub(crate) three: Option<BorrowedFd<'a>>,
    /// Descriptor 4.
    pub(crate) four: Option<BorrowedFd<'a>>,
    /// Where it says what holds, or why it is no app; closes by itself when it becomes one.
    pub(crate) report: File,
}

/// What the child says on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Report {
    /// All that was ordered is set.
    Held(Held),
    /// It is no app.
    Fault {
        /// The step.
        step: String,
        /// The system's number.
        errno: Option<i32>,
        /// A sentence.
        message: String,
    },
}

/// What holds around the app.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// `full`, `partial` (an older kernel), `none` (this kernel has nothing of it), `off` (not ordered).
    pub(crate) landlock: String,
    /// No program that it starts gains rights.
    pub(crate) no_new_privs: bool,
    /// User that it runs as.
    pub(crate) user: u32,
    /// Control groups that it is in.
    pub(crate) groups: usize,
}

/// Becomes the app, or says why not. Never returns.
pub(crate) fn become_app(order: &Order, mut ends: Ends<'_>, launcher: Pid) -> ! {
    let Err(fault) = confine_and_exec(order, &mut ends, launcher);
    let Fault { step, errno, message } = fault;
    tell(&mut ends.report, &Report::Fault { step, errno, message });
    os::leave(127)
}

fn tell(report: &mut File, what: &Report) {
    let line = serde_json::to_string(what).unwrap_or_default();
    let _ = report.write_all(format!("{line}\n").as_bytes());
}

fn confine_and_exec(
    order: &Order,
    ends: &mut Ends<'_>,
    launcher: Pid,
) -> Result<std::convert::Infallible, Fault> {
    let confinement = &order.confinement;
    for procs in &confinement.groups {
        Group::join(procs).map_err(Fault::at("groups", procs.display()))?;
    }
    setsid().map_err(at("session", "setsid"))?;
    set_limits(confinement)?;
    if !confinement.may_gain_privileges {
        set_no_new_privs(true).map_err(at("privileges", "no_new_privs"))?;
    }
    let landlock = match &confinement.reach {
        None => "off",
        Some(reach) => {
            let held = restrict(reach).map_err(|error| {
                Fault::refused("reach", format!("Landlock refuses the rules: {error}"))
            })?;
            if reach.required && held != FULL {
                return Err(Fault::refused(
                    "reach",
                    format!("Landlock is required, the kernel holds {held} of it"),
                ));
            }
            held
        }
    };
    if let Some(user) = confinement.user {
        change_user(user, confinement.may_gain_privileges)?;
    }
    // After the user has changed, which clears it.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(at("parent", "death signal"))?;
    if getppid() != Some(launcher) {
        return Err(Fault::refused("parent", "the launcher is gone"));
    }
    chdir(&order.cwd).map_err(|e| Fault::at("cwd", order.cwd.display())(e.into()))?;
    let held = Held {
        landlock: landlock.to_owned(),
        no_new_privs: !confinement.may_gain_privileges,
        user: rustix::process::getuid().as_raw(),
        groups: confinement.groups.len(),
    };
    os::unblock_signals().map_err(Fault::at("signals", "unblock"))?;

    let descriptor = || Fault::at("descriptors", "the app's descriptors");
    let output = os::lift(ends.output).map_err(descriptor())?;
    let three = ends.three.map(os::lift).transpose().map_err(descriptor())?;
    let four = ends.four.map(os::lift).transpose().map_err(descriptor())?;
    let report = os::lift(ends.report.as_fd()).map_err(descriptor())?;
    ends.report = File::from(report);
    for (fd, number) in [(three, 3), (four, 4)] {
        if let Some(fd) = fd {
            os::place(fd.as_fd(), number).map_err(descriptor())?;
        }
    }
    let errors = output.try_clone().map_err(descriptor())?;
    tell(&mut ends.report, &Report::Held(held));
    let error = Command::new(&order.program)
        .args(&order.args)
        .env_clear()
        .envs(&order.env)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .exec();
    Err(Fault::at("exec", order.program.display())(error))
}

fn at(step: &'static str, what: &'static str) -> impl FnOnce(rustix::io::Errno) -> Fault {
    move |errno| Fault::at(step, what)(errno.into())
}

fn set_limits(confinement: &Confinement) -> Result<(), Fault> {
    let limits = [
        (Resource::Core, Some(0), "RLIMIT_CORE"),
        (Resource::Data, confinement.data_bytes, "RLIMIT_DATA"),
        (Resource::Nproc, confinement.processes, "RLIMIT_NPROC"),
        (Resource::Nofile, confinement.files, "RLIMIT_NOFILE"),
    ];
    for (resource, value, name) in limits {
        let Some(value) = value else { continue };
        let limit = Rlimit { current: Some(value), maximum: Some(value) };
        setrlimit(resource, limit)
            .map_err(|errno| Fault::at("limits", format!("{name} {value}"))(errno.into()))?;
    }
    Ok(())
}

/// All that was asked of Landlock holds.
const FULL: &str = "full";

/// Closes the file system, TCP, abstract sockets and signals to others, but for what is named.
fn restrict(reach: &Reach) -> Result<&'static str, RulesetError> {
    let scope =
        if reach.abstract_sockets { Scope::Signal.into() } else { Scope::from_all(LANDLOCK) };
    let mut ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(LANDLOCK))?.scope(scope)?;
    if !reach.tcp {
        let tcp: BitFlags<AccessNet> = AccessNet::BindTcp | AccessNet::ConnectTcp;
        ruleset = ruleset.handle_access(tcp)?;
    }
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(&reach.read, AccessFs::from_read(LANDLOCK)))?
        .add_rules(path_beneath_rules(&reach.write, AccessFs::from_all(LANDLOCK)))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => FULL,
        RulesetStatus::PartiallyEnforced => "partial",
        RulesetStatus::NotEnforced => "none",
    })
}

fn change_user(user: User, may_gain_privileges: bool) -> Result<(), Fault> {
    let fault =
        |what: String| move |errno: rustix::io::Errno| Fault::at("user", what)(errno.into());
    // With an empty bounding set even a program of root gets no capability by being started.
    if !may_gain_privileges {
        for capability in CapabilitySet::all().iter() {
            match remove_capability_from_bounding_set(capability) {
                // A capability that this kernel does not know.
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(errno) => return Err(fault(format!("{capability:?}"))(errno)),
            }
        }
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[]).map_err(fault("supplementary groups".to_owned()))?;
    set_thread_res_gid(gid, gid, gid).map_err(fault(format!("group {}", user.gid)))?;
    set_thread_res_uid(uid, uid, uid).map_err(fault(format!("user {}", user.uid)))?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).map_err(fault("capabilities".to_owned()))?;
    Ok(())
}

/// Reads what the child said: what holds, or why there is no app.
pub(crate) fn outcome(mut report: impl io::Read) -> Result<Held, Fault> {
    let mut text = String::new();
    report.read_to_string(&mut text).map_err(Fault::at("fork", "the report of the child"))?;
    let mut held = None;
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Report::Held(found)) => held = Some(found),
            Ok(Report::Fault { step, errno, message }) => {
                return Err(Fault { step, errno, message });
            }
            Err(error) => return Err(Fault::refused("fork", format!("the child said: {error}"))),
        }
    }
    held.ok_or_else(|| Fault::refused("fork", "the child ended before it became the app"))
}
