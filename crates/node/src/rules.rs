//! Rules: tables compiled, asked and explained, and those that a terminal judges by. Inputs and
//! answers of a table cross as JSON texts, so that a number arrives as the digits that it is.

use crate::fault::{Cross, argument};
use crate::terminal::NativeTerminal;
use crate::value::number;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use pos_kernel_core::Result;
use pos_kernel_core::journal::Hash;
use pos_kernel_core::rules::{Point, RuleSet, Rules, Table};
use serde_json::{Map, Value};

/// A compiled rule table.
#[napi]
pub struct NativeRules {
    rules: Rules,
}

/// Rules were set.
#[napi(object)]
pub struct NativeRulesAnswer {
    /// BLAKE3 of their canonical bytes, 64 hexadecimal digits.
    pub hash: String,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// The rules that a terminal judges by.
#[napi(object)]
pub struct NativeRulesInForce {
    /// BLAKE3 of their canonical bytes, 64 hexadecimal digits.
    pub hash: String,
    /// What was found in each table, as JSON.
    pub reports: Vec<String>,
}

/// A table that is compiled on a thread of the pool.
pub struct CompileTask {
    source: String,
}

impl Task for CompileTask {
    type Output = Result<Rules>;
    type JsValue = NativeRules;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(compiled(&self.source))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(NativeRules { rules: output.cross(&env)? })
    }
}

/// Compiles a rule table from JSON or CSV, off the event loop.
#[napi(catch_unwind, ts_return_type = "Promise<NativeRules>")]
#[must_use]
pub fn compile_rules(source: String) -> AsyncTask<CompileTask> {
    AsyncTask::new(CompileTask { source })
}

/// Compiles a rule table from JSON or CSV while the calling thread waits.
#[napi(catch_unwind)]
pub fn compile_rules_sync(env: &Env, source: String) -> napi::Result<NativeRules> {
    Ok(NativeRules { rules: compiled(&source).cross(env)? })
}

fn compiled(source: &str) -> Result<Rules> {
    Table::read(source).and_then(Rules::compile)
}

#[napi]
impl NativeTerminal {
    /// Sets the tables, each JSON or CSV, that lines, tenders and sales are judged by.
    #[napi(catch_unwind)]
    pub fn set_rules(
        &self,
        env: &Env,
        tables: Vec<String>,
        key: Option<String>,
    ) -> napi::Result<NativeRulesAnswer> {
        let set = || {
            let tables = tables.iter().map(|source| compiled(source)).collect::<Result<_>>()?;
            self.terminal.set_rules(&RuleSet::new(tables)?, key.as_deref())
        };
        let answer = set().cross(env)?;
        Ok(NativeRulesAnswer {
            hash: Hash(answer.value.hash).to_string(),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        })
    }

    /// The rules that the terminal judges by, when any were set.
    #[napi(catch_unwind)]
    pub fn rules(&self, env: &Env) -> napi::Result<Option<NativeRulesInForce>> {
        let Some(hash) = self.terminal.rules().cross(env)? else { return Ok(None) };
        let set = self.terminal.rule_set().cross(env)?;
        let reports = set.tables().map(|rules| rules.show_report().to_string()).collect();
        Ok(Some(NativeRulesInForce { hash: Hash(hash).to_string(), reports }))
    }
}

#[napi]
impl NativeRules {
    /// What was found in the table, as JSON.
    #[napi(catch_unwind)]
    pub fn report(&self) -> String {
        self.rules.show_report().to_string()
    }

    /// The answers to an input, both as JSON.
    #[napi(catch_unwind)]
    pub fn evaluate(&self, env: &Env, input: String) -> napi::Result<String> {
        let answers = self.point(&input).and_then(|point| self.rules.show_answers(&point));
        answers.map(|answers| answers.to_string()).cross(env)
    }

    /// The answers to an input and the rows behind them, as JSON.
    #[napi(catch_unwind)]
    pub fn explain(&self, env: &Env, input: String) -> napi::Result<String> {
        let explained = self.point(&input).and_then(|point| self.rules.show_explanation(&point));
        explained.map(|explained| explained.to_string()).cross(env)
    }

    fn point(&self, input: &str) -> Result<Point> {
        let input: Map<String, Value> = serde_json::from_str(input)
            .map_err(|error| argument("input", format!("the input is no JSON object: {error}")))?;
        self.rules.point_of(&input)
    }
}
