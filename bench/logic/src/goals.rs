//! The goals, and what was measured against them.

/// One row of the final table.
struct Goal {
    row: &'static str,
    what: String,
    floor: &'static str,
    target: &'static str,
    measured: String,
}

#[derive(Default)]
pub struct Goals {
    rows: Vec<Goal>,
}

impl Goals {
    pub fn add(
        &mut self,
        row: &'static str,
        what: impl Into<String>,
        floor: &'static str,
        target: &'static str,
        measured: impl Into<String>,
    ) {
        let (what, measured) = (what.into(), measured.into());
        self.rows.push(Goal { row, what, floor, target, measured });
    }

    /// Prints the table to standard error.
    pub fn print(&self) {
        eprintln!("\n| # | measure | floor | target | measured |\n| --- | --- | --- | --- | --- |");
        for Goal { row, what, floor, target, measured } in &self.rows {
            eprintln!("| {row} | {what} | {floor} | {target} | {measured} |");
        }
    }
}
