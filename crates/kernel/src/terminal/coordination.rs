//! What a terminal does as one of several: it is listed while it is open, takes the store's
//! configuration over, and ends when it is told to.
//!
//! ```text
//! open      listed as active
//! drain     DrainBegun (durable) -> no new sale -> what is open is finished, or suspended -> close
//! close     listed no more
//! config    set: ConfigurationSet (durable) -> the file      apply: ConfigurationApplied (durable)
//! ```
//! The list, the session file and the shutdown flag are caches for people: that one of them cannot be
//! written keeps no terminal from opening, selling or closing.

use super::{Broadcast, Core, Outgoing, Terminal};
use crate::clock::iso_utc;
use crate::code::Code;
use crate::coordination::document::replace;
use crate::coordination::{
    OperationLock, ShutdownSignal, SystemConfig, refresh_registry, sweep, write_shutdown_signal,
};
use crate::error::{Error, Result};
use crate::journal::{ConfigurationApplied, ConfigurationSet, DrainBegun, Fact, Hash};
use crate::limits::GRACE_MS_MAX;
use crate::till::not_newer;
use serde_json::{Map, Value, json};
use std::time::Duration;

const CONFIG_WAIT: Duration = Duration::from_secs(5);
const NS_PER_MS: i64 = 1_000_000;

/// A terminal that finishes what is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    /// Why.
    pub reason: String,
    /// Until when, nanoseconds since 1970 in UTC.
    pub until_ns: i64,
    /// The terminal that asked for it; `None` when its own host did.
    pub by: Option<String>,
}

/// What became of open sales when a terminal ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// Tickets of the sales that were suspended.
    pub suspended: Vec<String>,
    /// Sales with live tenders: they stay open and come back when the terminal is opened again.
    pub left: Vec<u64>,
}

/// The configuration of a store, as a terminal sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The configuration in the store's file; `None` before the first.
    pub config: Option<SystemConfig>,
    /// It takes effect later.
    pub pending: bool,
    /// It took effect by this call.
    pub applied: bool,
}

impl Terminal {
    /// Begins to end: new sales are refused from here on, what is open can be finished. Durable when
    /// it returns. A terminal that ends already goes on as it began to.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT` for the reason, `PK_E_LIMIT` for a grace of over a day, `PK_E_OUTCOME_UNKNOWN`,
    /// and those of any call.
    pub fn begin_drain(&self, reason: &str, grace_ms: u64, by: Option<&str>) -> Result<Drain> {
        crate::sale::input::reason(reason)?;
        let grace_ns = grace_ns(grace_ms)?;
        let mut core = self.lock()?;
        if let Some(drain) = self.drain.get() {
            return Ok(drain.clone());
        }
        let until_ns = self.clock.wall_ns().saturating_add(grace_ns);
        let drain = Drain { reason: reason.to_owned(), until_ns, by: by.map(str::to_owned) };
        let fact =
            Fact::from(DrainBegun { reason: drain.reason.clone(), until_ns, by: drain.by.clone() });
        let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
        let drain = self.drain.get_or_init(|| drain).clone();
        core.owner.draining = true;
        let _ = core.owner.save(&self.dir);
        self.write_session(&core, "draining");
        drop(core);
        self.wait_durable(sequence)?;
        let _ = refresh_registry(self.store());
        Ok(drain)
    }

    /// How the terminal ends, once it has begun to.
    #[must_use]
    pub fn drain(&self) -> Option<&Drain> {
        self.drain.get()
    }

    /// Suspends what is still open, as far as it can be suspended. Durable when it returns.
    ///
    /// # Errors
    /// Those of [`Self::suspend`], except for a sale that it does not allow.
    pub fn suspend_open(&self, reason: &str) -> Result<Drained> {
        let mut drained = Drained::default();
        let open: Vec<(u64, bool)> = {
            let core = self.lock()?;
            let open = core.till.open.values();
            open.map(|sale| (sale.number, sale.state() == crate::sale::State::Suspended)).collect()
        };
        for (sale, _) in open.into_iter().filter(|(_, is_suspended)| !is_suspended) {
            match self.suspend(sale, reason, None) {
                Ok(answer) => drained.suspended.push(self.settle(answer)?.ticket),
                Err(error) if error.code().family() == crate::code::Family::State => {
                    match error.code() {
                        Code::Closed | Code::IdempotencyMismatch => return Err(error),
                        // It was finished meanwhile.
                        Code::AlreadyFinal => {}
                        _ => drained.left.push(sale),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(drained)
    }

    /// Announces a shutdown to all other terminals: the flag in the store, and a message that is worth
    /// something as long as the grace lasts. Durable when it returns; the announcement is a fact of
    /// this terminal.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_LIMIT` for a grace of over a day, and those of [`Self::broadcast`].
    pub fn announce_shutdown(&self, reason: &str, grace_ms: u64) -> Result<Broadcast> {
        crate::sale::input::reason(reason)?;
        let announced_ns = self.clock.wall_ns();
        let until_ns = announced_ns.saturating_add(grace_ns(grace_ms)?);
        let (by, reason) = (self.id().to_owned(), reason.to_owned());
        let signal = ShutdownSignal { by, reason, announced_ns, until_ns };
        let body = json!({"graceMs": grace_ms, "reason": signal.reason});
        // A grace of nothing must still leave time to be read.
        let ttl_ms = Some(grace_ms.max(60_000));
        let sent = self.broadcast(Outgoing { kind: "SystemShutdown", body, ttl_ms })?;
        write_shutdown_signal(self.store(), &signal)?;
        Ok(sent)
    }

    /// Gives the store a configuration: one version more than the last, or the version given. Durable
    /// when it returns; that it was set is a fact of this terminal. It takes effect at each terminal
    /// by [`Self::apply_system_config`], from `effective_ns` on.
    ///
    /// # Errors
    /// `PK_E_CONFIG_VERSION` for a version that is not newer, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (64
    /// KiB), `PK_E_OPERATION_LOCKED`, `PK_E_BAD_CONFIG` when the file before it was changed by hand
    /// and no version is given, `PK_E_SHARED_FILE`, `PK_E_IO`, and those of any call.
    pub fn set_system_config(
        &self,
        version: Option<u64>,
        effective_ns: Option<i64>,
        values: Map<String, Value>,
    ) -> Result<SystemConfig> {
        let root = self.store();
        let _lock = OperationLock::take(root, "system_config", self.id(), CONFIG_WAIT)?;
        let last = match SystemConfig::load(root) {
            // What was changed by hand is replaced by whoever says which version follows.
            Err(error) if error.code() == Code::BadConfig && version.is_some() => 0,
            last => last?.map_or(0, |config| config.version),
        };
        let effective_ns = effective_ns.unwrap_or_else(|| self.clock.wall_ns());
        let effective_ns = effective_ns.div_euclid(NS_PER_MS) * NS_PER_MS;
        let version = version.unwrap_or(last + 1);
        let config = SystemConfig { version, effective_ns, values };
        config.check()?;
        if config.version <= last {
            return Err(not_newer(config.version, last));
        }
        let mut core = self.lock()?;
        core.till.coordination.may_apply(config.version)?;
        let (version, hash) = (config.version, Hash(config.hash()));
        let operator = core.till.people.operator.clone();
        let fact = ConfigurationSet { version, effective_ns, hash, operator }.into();
        let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
        drop(core);
        self.wait_durable(sequence)?;
        config.write(root)?;
        Ok(config)
    }

    /// Takes the store's configuration over, once it takes effect. Durable when it returns: from which
    /// moment on which values held here is a fact of this terminal.
    ///
    /// # Errors
    /// `PK_E_BAD_CONFIG` when the file was changed by hand, `PK_E_CONFIG_VERSION` when it is older
    /// than the one in force, `PK_E_SHARED_FILE`, `PK_E_IO`, and those of any call.
    pub fn apply_system_config(&self) -> Result<Configured> {
        let config = SystemConfig::load(self.store())?;
        let mut core = self.lock()?;
        let in_force = core.till.coordination.config;
        let Some(config) = config else {
            return Ok(Configured { config: None, pending: false, applied: false });
        };
        let (version, hash, effective_ns) = (config.version, config.hash(), config.effective_ns);
        if in_force == Some((version, hash)) {
            return Ok(Configured { config: Some(config), pending: false, applied: false });
        }
        core.till.coordination.may_apply(version)?;
        if effective_ns > self.clock.wall_ns() {
            return Ok(Configured { config: Some(config), pending: true, applied: false });
        }
        let fact = ConfigurationApplied { version, effective_ns, hash: Hash(hash) }.into();
        let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
        drop(core);
        self.wait_durable(sequence)?;
        Ok(Configured { config: Some(config), pending: false, applied: true })
    }

    /// Version of the configuration in force at this terminal, and BLAKE3 of its values.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn system_config(&self) -> Result<Option<(u64, [u8; 32])>> {
        Ok(self.lock()?.till.coordination.config)
    }

    /// Refuses new work once the terminal has begun to end.
    pub(super) fn not_draining(&self) -> Result<()> {
        let Some(drain) = self.drain.get() else { return Ok(()) };
        let until = iso_utc(drain.until_ns);
        let message = format!(
            "terminal {} shuts down ({}); finish what is open until {until}",
            self.id, drain.reason
        );
        let error = Error::new(Code::ShuttingDown, message).with("terminal", self.id());
        let error = error.with("reason", drain.reason.as_str()).with("until", until);
        Err(match &drain.by {
            Some(by) => error.with("by", by.as_str()),
            None => error,
        })
    }

    /// Takes its place among the others. None of it decides anything.
    pub(super) fn join_store(&self) {
        sweep(self.store());
        let _ = self.finish_messages();
        let _ = refresh_registry(self.store());
        if let Ok(core) = self.lock() {
            self.write_session(&core, "open");
        }
    }

    /// Gives its place up; the lock is free.
    pub(super) fn leave_store(&self) {
        let _ = refresh_registry(self.store());
    }

    /// Writes the session file when one of these facts changes what it says. Sales do not: it would
    /// be a file for each of them.
    pub(super) fn follow_session(&self, core: &Core, facts: &[Fact]) {
        let changes = |fact: &Fact| {
            matches!(
                fact,
                Fact::OperatorSignedOn(_)
                    | Fact::OperatorSignedOff(_)
                    | Fact::ShiftOpened(_)
                    | Fact::ShiftClosed(_)
                    | Fact::TrainingSet(_)
            )
        };
        if facts.iter().any(changes) {
            self.write_session(core, if self.drain.get().is_some() { "draining" } else { "open" });
        }
    }

    /// `session_data.json`: who is at the till and what is under way, for people.
    pub(super) fn write_session(&self, core: &Core, state: &str) {
        let till = &core.till;
        let value = json!({
            "terminal": self.id(),
            "state": state,
            "at": iso_utc(self.last_wall_ns(core)),
            "operator": till.people.operator,
            "training": till.people.training,
            "shift": till.drawer.shift.as_ref().map(|shift| shift.number),
            "openSales": till.open.keys().collect::<Vec<_>>(),
            "lastReceipt": (till.next_receipt > 1).then(|| till.next_receipt - 1),
        });
        let path = self.dir.join("session_data.json");
        let _ = replace(&path, format!("{value:#}\n").as_bytes(), false);
    }
}

fn grace_ns(grace_ms: u64) -> Result<i64> {
    if grace_ms > GRACE_MS_MAX {
        let value = usize::try_from(grace_ms).unwrap_or(usize::MAX);
        let limit = usize::try_from(GRACE_MS_MAX).unwrap_or(usize::MAX);
        return Err(Error::limit("milliseconds of grace", value, limit));
    }
    Ok(grace_ms.cast_signed() * NS_PER_MS)
}
