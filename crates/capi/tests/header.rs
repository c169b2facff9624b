//! The header says what the library is: it is up to date, it compiles, and it names exactly the
//! functions that the library exports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/header.rs"]
#[allow(dead_code, reason = "its main function is the program's")]
mod header;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_header_is_what_the_sources_say() {
    let now = std::fs::read_to_string(header::path()).unwrap();
    assert!(now == header::generate(), "the header has drifted; run `npm run header`");
    assert!(!now.contains("# Safety"), "what only Rust callers need is left out");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "it asks nm as Linux has it")]
fn the_library_exports_what_the_header_names_and_nothing_else() {
    let library = library();
    let listed = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let exported: BTreeSet<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let text = std::fs::read_to_string(header::path()).unwrap();
    let named = functions(&text);
    assert!(named.len() > 70, "{} functions", named.len());
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(exported, named);
}

#[test]
fn the_header_compiles_as_c11_and_as_cpp17_without_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];
    for (compiler, standard, name) in [("gcc", "-std=c11", "a.c"), ("g++", "-std=c++17", "a.cc")] {
        let source = dir.path().join(name);
        let text = "#include \"pos_kernel.h\"\nint main(void) { return pk_abi_version() == 0; }\n";
        std::fs::write(&source, text).unwrap();
        let include = header::path();
        let mut command = Command::new(compiler);
        command.arg(standard).args(strict).arg("-I").arg(include.parent().unwrap()).arg(&source);
        let Ok(output) = command.output() else {
            println!("SKIPPED: {compiler} is not installed");
            continue;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Names of the functions that a header declares.
fn functions(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut in_comment = false;
    for line in text.lines() {
        if line.starts_with("/*") {
            in_comment = true;
        }
        if !in_comment && let Some(open) = line.find('(') {
            let name = line[..open].rsplit([' ', '*']).next().unwrap_or_default();
            if name.starts_with("pk_") || name.starts_with("pl_") {
                names.push(name.to_owned());
            }
        }
        if line.ends_with("*/") {
            in_comment = false;
        }
    }
    names
}

/// The shared library, which cargo does not build for tests by itself.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "pos-kernel-capi", "--target-dir"]);
    build.arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "cargo builds the library");
    let name =
        format!("{}pos_kernel{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    profile.join(name)
}
