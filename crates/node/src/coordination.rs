//! The door of what terminals share: messages, the registry, the configuration, shutting down.
//!
//! Bodies and answers cross as JSON texts: a message is any JSON, and as a text no number of it changes
//! its form on the way. All of it reads or writes files, so it runs on a pool thread.

use crate::away::{Away, away};
use crate::fault::{Cross, argument, thrown};
use crate::terminal::NativeTerminal;
use crate::value::whole;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use pos_kernel_core::clock::{iso_utc, parse_iso_utc};
use pos_kernel_core::coordination::{
    ShutdownSignal, SystemConfig, clear_shutdown_signal, refresh_registry, shutdown_signal,
    terminals,
};
use pos_kernel_core::journal::hex;
use pos_kernel_core::messages::{Message, acknowledgements};
use pos_kernel_core::terminal::{Broadcast, Configured, Drain, Outgoing};
use pos_kernel_core::{Code, Error, Result};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A message to send.
#[napi(object)]
pub struct NativeOutgoing {
    /// Kind.
    pub kind: String,
    /// Body, as JSON.
    pub body: String,
    /// Milliseconds after which it is worth nothing any more.
    pub ttl_ms: Option<f64>,
}

impl NativeOutgoing {
    fn ttl_ms(&self) -> Result<Option<u64>> {
        self.ttl_ms.map(|ttl| whole("ttlMs", ttl)).transpose()
    }
}

fn body_of(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the body of the message is no JSON: {error}");
        Error::new(Code::BadMessage, message).with("found", error.to_string())
    })
}

#[napi]
impl NativeTerminal {
    /// Sends a message to one terminal; answers it as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn send(
        &self,
        env: &Env,
        to: String,
        outgoing: NativeOutgoing,
    ) -> napi::Result<AsyncTask<Away<String>>> {
        let ttl_ms = outgoing.ttl_ms().cross(env)?;
        Ok(away(self.terminal(), move |terminal| {
            let body = body_of(&outgoing.body)?;
            let sent = terminal.send(&to, Outgoing { kind: &outgoing.kind, body, ttl_ms })?;
            Ok(sent.to_json().to_string())
        }))
    }

    /// Sends a message to all others; answers it as JSON, with who has it.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn broadcast(
        &self,
        env: &Env,
        outgoing: NativeOutgoing,
    ) -> napi::Result<AsyncTask<Away<String>>> {
        let ttl_ms = outgoing.ttl_ms().cross(env)?;
        Ok(away(self.terminal(), move |terminal| {
            let body = body_of(&outgoing.body)?;
            let sent = terminal.broadcast(Outgoing { kind: &outgoing.kind, body, ttl_ms })?;
            Ok(shown_broadcast(&sent).to_string())
        }))
    }

    /// The messages that wait, as a JSON array.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn receive(&self, env: &Env, most: f64) -> napi::Result<AsyncTask<Away<String>>> {
        let most = usize::try_from(whole("most", most).cross(env)?).unwrap_or(usize::MAX);
        Ok(away(self.terminal(), move |terminal| {
            let waiting: Vec<Value> =
                terminal.receive(most)?.iter().map(Message::to_json).collect();
            Ok(Value::from(waiting).to_string())
        }))
    }

    /// Accepts messages; answers how many were new.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn accept(&self, ids: Vec<String>) -> AsyncTask<Away<u32>> {
        away(self.terminal(), move |terminal| {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            Ok(u32::try_from(terminal.accept(&ids)?).unwrap_or(u32::MAX))
        })
    }

    /// Gives a message up.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn give_up(&self, id: String, reason: String) -> AsyncTask<Away<()>> {
        away(self.terminal(), move |terminal| terminal.give_up(&id, &reason))
    }

    /// Begins to end; answers the drain as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn begin_drain(
        &self,
        env: &Env,
        reason: String,
        grace_ms: f64,
        by: Option<String>,
    ) -> napi::Result<AsyncTask<Away<String>>> {
        let grace_ms = whole("graceMs", grace_ms).cross(env)?;
        Ok(away(self.terminal(), move |terminal| {
            let drain = terminal.begin_drain(&reason, grace_ms, by.as_deref())?;
            Ok(shown_drain(&drain).to_string())
        }))
    }

    /// How the terminal ends, as JSON, once it has begun to.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<String> {
        self.terminal().drain().map(|drain| shown_drain(drain).to_string())
    }

    /// Suspends what is open; answers as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn suspend_open(&self, reason: String) -> AsyncTask<Away<String>> {
        away(self.terminal(), move |terminal| {
            let drained = terminal.suspend_open(&reason)?;
            Ok(json!({"suspended": drained.suspended, "left": drained.left}).to_string())
        })
    }

    /// Announces a shutdown to all others; answers as `broadcast`.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn announce_shutdown(
        &self,
        env: &Env,
        reason: String,
        grace_ms: f64,
    ) -> napi::Result<AsyncTask<Away<String>>> {
        let grace_ms = whole("graceMs", grace_ms).cross(env)?;
        Ok(away(self.terminal(), move |terminal| {
            let sent = terminal.announce_shutdown(&reason, grace_ms)?;
            Ok(shown_broadcast(&sent).to_string())
        }))
    }

    /// Gives the store a configuration, its values as JSON; answers it as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn set_system_config(
        &self,
        env: &Env,
        values: String,
        version: Option<f64>,
        effective_at: Option<String>,
    ) -> napi::Result<AsyncTask<Away<String>>> {
        let version = version.map(|version| whole("version", version)).transpose().cross(env)?;
        let effective_ns = effective_at.map(|at| moment("effectiveAt", &at)).transpose();
        let effective_ns = effective_ns.cross(env)?;
        Ok(away(self.terminal(), move |terminal| {
            let values: Map<String, Value> = serde_json::from_str(&values)
                .map_err(|error| argument("values", format!("values are no object: {error}")))?;
            let config = terminal.set_system_config(version, effective_ns, values)?;
            Ok(config.to_json().to_string())
        }))
    }

    /// Takes the store's configuration over, once it takes effect; answers as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn apply_system_config(&self) -> AsyncTask<Away<String>> {
        away(self.terminal(), |terminal| {
            let Configured { config, pending, applied } = terminal.apply_system_config()?;
            let config = config.as_ref().map(SystemConfig::to_json);
            Ok(json!({"config": config, "pending": pending, "applied": applied}).to_string())
        })
    }

    /// The configuration in force, as JSON: version and hash.
    #[napi(catch_unwind)]
    pub fn system_config(&self, env: &Env) -> napi::Result<Option<String>> {
        let in_force = self.terminal().system_config().cross(env)?;
        let shown = in_force.map(|(version, hash)| json!({"version": version, "hash": hex(&hash)}));
        Ok(shown.map(|shown| shown.to_string()))
    }
}

/// A question about a store.
pub struct Asked(Option<Box<dyn FnOnce() -> Result<String> + Send>>);

impl Task for Asked {
    type Output = Result<String>;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let ask = self.0.take().expect("a task is computed once");
        Ok(ask())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<String> {
        output.map_err(|error| thrown(&env, &error))
    }
}

fn asked(ask: impl FnOnce() -> Result<Value> + Send + 'static) -> AsyncTask<Asked> {
    AsyncTask::new(Asked(Some(Box::new(move || ask().map(|value| value.to_string())))))
}

/// The terminals of a store, as JSON; with `refresh`, the file that says so is written anew.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn store_terminals(root: String, refresh: bool) -> AsyncTask<Asked> {
    asked(move || {
        let root = PathBuf::from(root);
        let found = if refresh { refresh_registry(&root)? } else { terminals(&root)? };
        Ok(found.iter().map(|terminal| terminal.to_json()).collect())
    })
}

/// The configuration in a store's file, as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn store_config(root: String) -> AsyncTask<Asked> {
    asked(move || {
        let config = SystemConfig::load(&PathBuf::from(root))?;
        Ok(config.as_ref().map_or(Value::Null, SystemConfig::to_json))
    })
}

/// The announced shutdown of a store, as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn store_shutdown(root: String) -> AsyncTask<Asked> {
    asked(move || {
        let signal = shutdown_signal(&PathBuf::from(root))?;
        Ok(signal.as_ref().map_or(Value::Null, ShutdownSignal::to_json))
    })
}

/// Says that the announced shutdown of a store is over.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn clear_store_shutdown(root: String) -> AsyncTask<Asked> {
    asked(move || clear_shutdown_signal(&PathBuf::from(root)).map(|()| Value::Null))
}

/// What became of a message, by terminal, as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn message_acknowledgements(root: String, id: String) -> AsyncTask<Asked> {
    asked(move || {
        let found = acknowledgements(&PathBuf::from(root), &id)?;
        let shown = found.into_iter().map(|it| {
            let mut value = json!({"terminal": it.terminal, "state": it.state.name()});
            if let Some(reason) = it.reason {
                value["reason"] = reason.into();
            }
            value
        });
        Ok(shown.collect())
    })
}

fn moment(name: &str, text: &str) -> Result<i64> {
    parse_iso_utc(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        argument(name, format!("{name} {shown:?} is not a moment like 2026-11-26T12:00:00.000Z"))
    })
}

fn shown_drain(drain: &Drain) -> Value {
    let mut value = json!({"reason": drain.reason, "until": iso_utc(drain.until_ns)});
    if let Some(by) = &drain.by {
        value["by"] = by.as_str().into();
    }
    value
}

fn shown_broadcast(sent: &Broadcast) -> Value {
    let refused = sent.refused.iter().map(|(terminal, error)| {
        json!({
            "terminal": terminal,
            "code": error.code().name(),
            "message": error.message(),
        })
    });
    let refused: Vec<Value> = refused.collect();
    json!({"message": sent.message.to_json(), "sent": sent.sent, "refused": refused})
}
