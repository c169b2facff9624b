//! Rules: tables compiled, asked and explained. Inputs and answers cross as JSON texts, so that a
//! number arrives as the digits that it is.

use crate::fault::{Cross, argument};
use napi::Env;
use napi_derive::napi;
use pos_kernel_core::Result;
use pos_kernel_core::rules::{Point, Rules, Table};
use serde_json::{Map, Value};

/// A compiled rule table.
#[napi]
pub struct NativeRules {
    rules: Rules,
}

/// Compiles a rule table from JSON or CSV.
#[napi(catch_unwind)]
pub fn compile_rules(env: &Env, source: String) -> napi::Result<NativeRules> {
    let rules = Table::read(&source).and_then(Rules::compile).cross(env)?;
    Ok(NativeRules { rules })
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
