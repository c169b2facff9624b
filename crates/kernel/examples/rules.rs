//! What rules cost: compiling and evaluating the shipped tables and promotion tables by chance.
//!
//! `cargo run --release -p pos-kernel-core --example rules -- [FILE...]` prints, for each table, its rows
//! and products, the milliseconds to compile it, and the nanoseconds to evaluate a placed input, to
//! place an input and evaluate it, and to judge a line by it. Medians of eleven runs; an input is a
//! different one each time. Then the goals, and what was measured against them. `--json` prints one
//! document.

use pos_kernel_core::money::Decimal;
use pos_kernel_core::rules::{
    Attribute, Column, Domain, Fact, Given, LineFacts, Point, RuleSet, Rules, Table,
};
use serde_json::{Value, json};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 11;
const INPUTS: usize = 1 << 12;

fn main() -> pos_kernel_core::Result<()> {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--json");
    let shipped = [
        include_str!("../../../examples/rules/age-limits.csv"),
        include_str!("../../../examples/rules/tender-limits.json"),
        include_str!("../../../examples/rules/approvals.csv"),
        include_str!("../../../examples/rules/tax-class.json"),
    ];
    let mut results = Vec::new();
    for source in shipped {
        results.push(measure(&Table::read(source)?)?);
    }
    let mut largest = 0;
    for (rows, hit) in
        [(250, "first"), (750, "first"), (1500, "first"), (1500, "priority"), (1500, "collect")]
    {
        results.push(measure(&promotions(rows, hit, "p5")?)?);
        largest = largest.max(last_us(&results));
    }
    results.push(measure(&flattened(1500)?)?);
    largest = largest.max(last_us(&results));
    results.push(measure(&promotions(1500, "first", "changed")?)?);
    let changed = last_us(&results);
    for path in files {
        let source = std::fs::read_to_string(&path).expect("a readable file");
        results.push(measure(&Table::read(&source)?)?);
    }
    let hostile = hostile()?;
    let line = judge(shipped[0], shipped[2])?;
    let goals = [
        goal(
            "14",
            "promotion tables of 1,500 rows, the slowest",
            ("1 s", "200 ms", "50 ms"),
            &format!("{} ms", milliseconds(largest)),
        ),
        goal(
            "14",
            "the same with one changed rule",
            ("-", "-", "10 ms"),
            &format!("{} ms", milliseconds(changed)),
        ),
        goal("14", "200 rows by 32 booleans keep to their caps", ("20 s", "-", "-"), &hostile),
        goal("-", "a line judged by two tables", ("1 us", "-", "-"), &format!("{line} ns")),
    ];
    if flags.is_empty() {
        show(&results, &goals);
    } else {
        println!("{}", json!({ "results": results, "goals": goals }));
    }
    Ok(())
}

fn last_us(results: &[Value]) -> u64 {
    results.last().and_then(|last| last["compileUs"].as_u64()).unwrap_or_default()
}

fn milliseconds(us: u64) -> String {
    format!("{}.{:03}", us / 1000, us % 1000)
}

fn goal(row: &str, what: &str, limits: (&str, &str, &str), measured: &str) -> Value {
    let (floor, target, moonshot) = limits;
    json!({ "row": row, "what": what, "floor": floor, "target": target, "moonshot": moonshot, "measured": measured })
}

fn show(results: &[Value], goals: &[Value]) {
    println!("table                rows  products  compile ms  evaluate ns  place + evaluate ns");
    for result in results {
        println!(
            "{:<20} {:>4}  {:>8}  {:>10}  {:>11}  {:>19}",
            result["table"].as_str().unwrap_or_default(),
            result["rows"],
            result["products"],
            milliseconds(result["compileUs"].as_u64().unwrap_or_default()),
            result["evaluateNs"],
            result["placeAndEvaluateNs"]
        );
    }
    println!("\n| # | measure | floor | target | moonshot | measured |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for goal in goals {
        let cells = ["row", "what", "floor", "target", "moonshot", "measured"];
        let cells = cells.map(|cell| goal[cell].as_str().unwrap_or_default());
        println!("| {} |", cells.join(" | "));
    }
}

fn measure(table: &Table) -> pos_kernel_core::Result<Value> {
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
    Ok(json!({
        "table": table.name(),
        "rows": table.rows().len(),
        "products": rules.report().products,
        "compileUs": u64::try_from(compile_us).unwrap_or(u64::MAX),
        "evaluateNs": u64::try_from(evaluate).unwrap_or(u64::MAX),
        "placeAndEvaluateNs": u64::try_from(both).unwrap_or(u64::MAX),
    }))
}

fn judge(ages: &str, approvals: &str) -> pos_kernel_core::Result<u128> {
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
    Ok(line)
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
fn promotions(rows: usize, hit: &str, first: &str) -> pos_kernel_core::Result<Table> {
    let mut text = format!("table,{hit} {rows} {first},hit,{hit}\n");
    text.push_str("rule,group,day,hour,customer,amount,member,coupon,staff,action\n");
    text.push_str(
        ",when text g1|g2|g3|g4|g5|g6|g7|g8|g9|g10|g11|g12,when text mo|tu|we|th|fr|sa|su,",
    );
    text.push_str("when integer 0..23,when text private|business|school|charity,");
    text.push_str("when integer 0..1000000,when bool,when bool,when bool,then text changed|p5|p10|p15|p20|3for2|gift|points|half|none\n");
    let groups = ["g1", "g2|g3", "g4", "g5|g6|g7", "g8", "g9", "!g10|g11|g12", "g12"];
    let days = ["mo|tu|we|th|fr", "sa|su", "sa", "mo", "fr|sa", ""];
    let hours = ["", "8..11", "12..13", "14..18", "19..", "..7"];
    let customers = ["", "private", "business", "school|charity"];
    let amounts = ["", ">=1000", ">=2500", "5000..10000", "<500", ">20000"];
    let flags = ["", "", "true", "false"];
    let mut chance = 7_u64;
    for row in 0..rows - 1 {
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
        let action = if row == rows / 2 { first } else { action };
        let _ = writeln!(text, ",{},{action}", cells.join(","));
    }
    text.push_str(",,,,,,,,,none\n");
    Table::read(&text)
}

/// Promotions as a program writes them: rows that exclude each other, with gaps between them.
fn flattened(rows: usize) -> pos_kernel_core::Result<Table> {
    let columns = [2, 2, 2, 2, 3, 7, 6, 4, 6, 24];
    let mut chance = 11_u64;
    let mut leaves: Vec<Vec<Vec<usize>>> =
        vec![columns.iter().map(|&values| (0..values).collect()).collect()];
    while leaves.len() < rows * 4 / 3 {
        let leaf = next(&mut chance, leaves.len());
        let column = next(&mut chance, columns.len());
        if leaves[leaf][column].len() < 2 {
            continue;
        }
        let mut other = leaves[leaf].clone();
        let at = 1 + next(&mut chance, other[column].len() - 1);
        other[column] = leaves[leaf][column].split_off(at);
        leaves.push(other);
    }
    let names: Vec<String> = (0..columns.len()).map(|column| format!("c{column}")).collect();
    let values = |values: usize| (0..values).map(|value| format!("v{value}")).collect::<Vec<_>>();
    let kinds = columns.map(|count| format!("when text {}", values(count).join("|")));
    let mut text =
        format!("table,flattened {rows},hit,first,gaps,allowed\nrule,{},action\n", names.join(","));
    let _ = writeln!(text, ",{},then text", kinds.join(","));
    for leaf in leaves.iter().take(rows) {
        let cells: Vec<String> = leaf
            .iter()
            .zip(columns)
            .map(|(cell, all)| {
                if cell.len() == all {
                    return String::new();
                }
                cell.iter().map(|value| format!("v{value}")).collect::<Vec<_>>().join("|")
            })
            .collect();
        let _ = writeln!(text, ",{},a{}", cells.join(","), next(&mut chance, 16));
    }
    Table::read(&text)
}

/// A table that no grid holds and whose complement is beyond counting.
fn hostile() -> pos_kernel_core::Result<String> {
    let names: Vec<String> = (0..32).map(|column| format!("b{column}")).collect();
    let kinds = vec!["when bool"; 32].join(",");
    let mut text =
        format!("table,hostile,hit,first\nrule,{},r\n,{kinds},then text\n", names.join(","));
    let mut chance = 5_u64;
    for _ in 0..200 {
        let cells: Vec<&str> =
            (0..32).map(|_| ["", "", "true", "false"][next(&mut chance, 4)]).collect();
        let _ = writeln!(text, ",{},{}", cells.join(","), ["a", "b", "c"][next(&mut chance, 3)]);
    }
    let table = Table::read(&text)?;
    let began = Instant::now();
    let answer = match Rules::compile(table) {
        Ok(rules) => format!("{} products", rules.report().products),
        Err(error) => error.code().name().to_owned(),
    };
    Ok(format!("{answer} in {} ms", began.elapsed().as_millis()))
}
