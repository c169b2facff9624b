//! Any bytes in place of a manifest.
#![no_main]

#[path = "../../tests/faults/fuzz.rs"]
#[allow(dead_code)]
mod fuzz;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzz::fuzz_manifest(bytes);
});
