//! The goals, and what was measured against them.

use serde_json::{Value, json};

/// One row of the final table.
struct Goal {
    row: &'static str,
    what: String,
    limits: Limits,
    measured: String,
    value: Option<f64>,
}

/// What a figure should be: the least that will do, the aim, and as far as anybody hopes.
#[derive(Clone, Copy)]
pub struct Limits {
    pub floor: &'static str,
    pub target: &'static str,
    pub moonshot: &'static str,
}

/// A figure without a goal.
pub const NO_GOAL: Limits = limits("–", "–", "–");

pub const fn limits(floor: &'static str, target: &'static str, moonshot: &'static str) -> Limits {
    Limits { floor, target, moonshot }
}

#[derive(Default)]
pub struct Goals {
    rows: Vec<Goal>,
}

impl Goals {
    /// Adds a row. `value` is the figure itself where there is a single one.
    pub fn add(
        &mut self,
        row: &'static str,
        what: impl Into<String>,
        limits: Limits,
        value: Option<f64>,
        measured: impl Into<String>,
    ) {
        let (what, measured) = (what.into(), measured.into());
        self.rows.push(Goal { row, what, limits, measured, value });
    }

    /// Prints the table to standard error.
    pub fn print(&self) {
        eprintln!("\n| # | measure | floor | target | moonshot | measured |");
        eprintln!("| --- | --- | --- | --- | --- | --- |");
        for Goal { row, what, limits: Limits { floor, target, moonshot }, measured, .. } in
            &self.rows
        {
            eprintln!("| {row} | {what} | {floor} | {target} | {moonshot} | {measured} |");
        }
    }

    /// Prints each row as a line of JSON.
    pub fn print_json(&self) {
        for Goal { row, what, limits: Limits { floor, target, moonshot }, measured, value } in
            &self.rows
        {
            let line: Value = json!({
                "workload": "goal", "row": row, "what": what, "floor": floor, "target": target,
                "moonshot": moonshot, "value": value, "measured": measured,
            });
            println!("{line}");
        }
    }
}
