//! Makes `include/pos_kernel.h` from the sources: `cargo run -p pos-kernel-capi --example header`.
//!
//! cbindgen reads the functions, structures and constants; the error details come from the kernel's
//! one table. The file is committed, and `tests/header.rs` fails when it is not what this makes.

#![allow(missing_docs, reason = "a program, not an interface")]

#[path = "../src/abi.rs"]
mod abi;

use pos_kernel_core::Code;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Sources in the order of the header.
const ROOMS: [&str; 24] = [
    "types",
    "types/priced",
    "types/rules",
    "types/till",
    "logic_types",
    "library",
    "money",
    "classic",
    "terminal",
    "store",
    "sale",
    "pricing",
    "returns",
    "handover",
    "transfers",
    "people",
    "reports",
    "query",
    "journal",
    "proof",
    "coordination",
    "service",
    "logic",
    "logic_options",
];

fn main() {
    let file = path();
    let text = generate();
    if std::fs::read_to_string(&file).is_ok_and(|now| now == text) {
        println!("{}: nothing to change", file.display());
        return;
    }
    std::fs::write(&file, text).expect("the header can be written");
    println!("{}: written", file.display());
}

pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/pos_kernel.h")
}

pub(crate) fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    config.header = Some(head());
    config.after_includes = Some(details());
    let builder =
        ROOMS.iter().fold(cbindgen::Builder::new().with_config(config), |builder, room| {
            builder.with_src(root.join("src").join(room).with_extension("rs"))
        });
    let bindings = builder.generate().expect("cbindgen reads the sources");
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    without_safety(&String::from_utf8(bytes).expect("the header is text"))
}

fn head() -> String {
    format!(
        "/*\n * pos_kernel.h: the kernel of a till for hosts that speak C. Interface {}.{}.\n *\n \
         * Generated from crates/capi/src by `npm run header`; do not edit.\n *\n \
         * Text in: pointer and length in bytes, strict UTF-8, no zero needed. Text out: buffer,\n \
         * capacity and the length that it needs; nothing is terminated, nothing is written when it\n \
         * does not fit. Structures begin with their size: set it to sizeof before a call. A call\n \
         * that is refused has changed nothing and has written nothing but such a length. Amounts\n \
         * are integers of minor units. Every call may come from any thread. After fork() the child\n \
         * must not use the library.\n *\n \
         * docs/reference/c-abi.md says more.\n */",
        abi::MAJOR,
        abi::MINOR
    )
}

/// The error details, from the kernel's table.
fn details() -> String {
    let mut text = String::from("\n/* What exactly was refused or failed: PkResult.detail. */\n");
    for code in Code::ALL {
        let _ = writeln!(
            text,
            "#define {} {} /* result {} */",
            code.name(),
            *code as i32,
            code.result()
        );
    }
    text
}

/// What is said to Rust callers about pointers is said to C callers once, at the head. Comments of
/// one line take one line.
fn without_safety(header: &str) -> String {
    let header = header
        .replace(" *\n * # Safety\n * As the crate says of pointers.\n", "")
        .replace("\n\n\n", "\n\n");
    let mut lines: Vec<&str> = header.lines().collect();
    let mut text = String::new();
    lines.push("");
    let mut at = 0;
    while at + 1 < lines.len() {
        let one = (lines[at].trim_start(), lines.get(at + 2).map(|line| line.trim_start()));
        if one == ("/**", Some("*/")) {
            let indent = &lines[at][..lines[at].len() - 3];
            let words = lines[at + 1].trim_start().trim_start_matches("* ");
            let _ = writeln!(text, "{indent}/** {words} */");
            at += 3;
        } else {
            let _ = writeln!(text, "{}", lines[at]);
            at += 1;
        }
    }
    text
}
