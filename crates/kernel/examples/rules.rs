//! What rules cost: compiling and evaluating the shipped tables and a promotion table by chance.
//!
//! `cargo run --release -p pos-kernel-core --example rules` prints, for each table, its rows and
//! products, the milliseconds to compile it, and the nanoseconds to evaluate a placed input, to
//! place an input and evaluate it, and to judge a line by it. Medians of eleven runs; an input is a
//! different one each time.

use pos_kernel_core::money::Decimal;
use pos_kernel_core::rules::{
    Attribute, Column, Domain, Fact, Given, LineFacts, Point, RuleSet, Rules, Table,
};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 11;
const INPUTS: usize = 1 << 12;

fn main() -> pos_kernel_core::Result<()> {
    let shipped = [
        include_str!("../../../examples/rules/age-limits.csv"),
        include_str!("../../../examples/rules/tender-limits.json"),
        include_str!("../../../examples/rules/approvals.csv"),
        include_str!("../../../examples/rules/tax-class.json"),
    ];
    println!("table                rows  products  compile ms  evaluate ns  place + evaluate ns");
    for source in shipped {
        measure(&Table::read(source)?)?;
    }
    for rows in [250, 750, 1500] {
        measure(&promotions(rows, "first")?)?;
    }
    for hit in ["priority", "collect"] {
        measure(&promotions(1500, hit)?)?;
    }
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path).expect("a readable file");
        measure(&Table::read(&source)?)?;
    }
    judge(shipped[0], shipped[2])
}

fn measure(table: &Table) -> pos_kernel_core::Result<()> {
    let began = Instant::now();
    let rules = Rules::compile(table.clone())?;
    let compile_us = began.elapsed().as_micros();
    let mut chance = 1_u64;
    let inputs: Vec<Vec<Given<'_>>> = (0..INPUTS).map(|_| input(table, &mut chance)).collect();
    let place = |input: &[Given<'_>]| {
        // Asked column by column, in order.
        let next = std::cell::Cell::new(0);
        rules.point(|_| input.get(next.replace(next.get() + 1)).copied())
    };
    let points: Vec<Point> = inputs.iter().map(|input| place(input)).collect::<Result<_, _>>()?;
    let evaluate = median(|| {
        for point in &points {
            black_box(rules.evaluate(black_box(point)).map(|answers| answers.first()).ok());
        }
    });
    let both = median(|| {
        for input in &inputs {
            let point = place(black_box(input)).ok();
            black_box(point.and_then(|point| rules.evaluate(&point).ok()));
        }
    });
    println!(
        "{:<20} {:>4}  {:>8}  {:>6}.{:03}  {:>11}  {:>19}",
        table.name(),
        table.rows().len(),
        rules.report().products,
        compile_us / 1000,
        compile_us % 1000,
        evaluate,
        both
    );
    Ok(())
}

fn judge(ages: &str, approvals: &str) -> pos_kernel_core::Result<()> {
    let compiled = |source| Rules::compile(Table::read(source)?);
    let set = RuleSet::new(vec![compiled(ages)?, compiled(approvals)?])?;
    let attributes = [
        Attribute { name: "ageChecked", value: Given::Bool(true) },
        Attribute { name: "buyerAge", value: Given::Integer(30) },
        Attribute { name: "role", value: Given::Text("supervisor") },
    ];
    let classes = ["wine", "bread", "spirits", "milk", "tobacco", "apples", "beer", "knife"];
    let lines: Vec<Fact<'_>> = (0..INPUTS)
        .map(|index| {
            let quantity = i64::try_from(index % 7).unwrap_or(0) + 1;
            Fact::Line(LineFacts {
                sku: "4711",
                class: Some(classes[index % classes.len()]),
                quantity: Decimal::whole(quantity),
                unit_price: Decimal::whole(399),
                amount: quantity * 399,
                attributes: &attributes,
            })
        })
        .collect();
    for line in &lines {
        set.judge(line)?;
    }
    let line = median(|| {
        for line in &lines {
            black_box(set.judge(black_box(line)).ok());
        }
    });
    println!("\na line judged by age limits and approvals: {line} ns");
    Ok(())
}

/// Nanoseconds for one input.
fn median(mut run: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_nanos() / INPUTS as u128
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

fn next(chance: &mut u64, limit: usize) -> usize {
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    usize::try_from(*chance % limit as u64).unwrap_or(0)
}

/// A number that is no more than the largest of a column.
fn number(chance: &mut u64, most: i64) -> i64 {
    let limit = usize::try_from(most).unwrap_or(1).clamp(1, 200);
    i64::try_from(next(chance, limit)).unwrap_or(0)
}

fn input<'t>(table: &'t Table, chance: &mut u64) -> Vec<Given<'t>> {
    let value = |column: &'t Column| match &column.domain {
        Domain::Bool => Given::Bool(next(chance, 2) == 1),
        Domain::Integer { most, .. } => Given::Integer(number(chance, *most)),
        Domain::Decimal { most, .. } => Given::Integer(number(chance, *most / 1_000_000)),
        Domain::Text { values, open } => {
            let place = next(chance, values.len() + usize::from(*open));
            Given::Text(values.get(place).map_or("something else", String::as_str))
        }
        Domain::Set { .. } => Given::Set(&[]),
    };
    table.columns().iter().map(value).collect()
}

/// Promotions as a shop's spreadsheet grows them: groups, days, hours, customers, amounts.
fn promotions(rows: usize, hit: &str) -> pos_kernel_core::Result<Table> {
    let mut text = format!("table,{hit} {rows},hit,{hit}\n");
    text.push_str("rule,group,day,hour,customer,amount,member,coupon,staff,action\n");
    text.push_str(
        ",when text g1|g2|g3|g4|g5|g6|g7|g8|g9|g10|g11|g12,when text mo|tu|we|th|fr|sa|su,",
    );
    text.push_str("when integer 0..23,when text private|business|school|charity,");
    text.push_str("when integer 0..1000000,when bool,when bool,when bool,then text p5|p10|p15|p20|3for2|gift|points|half|none\n");
    let groups = ["g1", "g2|g3", "g4", "g5|g6|g7", "g8", "g9", "!g10|g11|g12", "g12"];
    let days = ["mo|tu|we|th|fr", "sa|su", "sa", "mo", "fr|sa", ""];
    let hours = ["", "8..11", "12..13", "14..18", "19..", "..7"];
    let customers = ["", "private", "business", "school|charity"];
    let amounts = ["", ">=1000", ">=2500", "5000..10000", "<500", ">20000"];
    let flags = ["", "", "true", "false"];
    let mut chance = 7_u64;
    for _ in 0..rows - 1 {
        let mut pick = |from: &[&'static str]| from[next(&mut chance, from.len())];
        let cells = [
            pick(&groups),
            pick(&days),
            pick(&hours),
            pick(&customers),
            pick(&amounts),
            pick(&flags),
            pick(&flags),
            pick(&flags),
        ];
        let action = pick(&["p5", "p10", "p15", "p20", "3for2", "gift", "points", "half"]);
        let _ = writeln!(text, ",{},{action}", cells.join(","));
    }
    text.push_str(",,,,,,,,,none\n");
    Table::read(&text)
}
