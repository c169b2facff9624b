//! Any bytes in place of a segment: as they are, with checksums mended, with the chain mended too.
#![no_main]

#[path = "../../tests/faults/fuzz.rs"]
#[allow(dead_code)]
mod fuzz;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses the form; a short input stands at the start of a whole blank segment,
    // so that the fuzzer need not find the file's length by itself.
    let Some((form, rest)) = bytes.split_first() else { return };
    let mut image = rest.to_vec();
    image.resize(image.len().max(64 << 10), 0);
    match form % 3 {
        0 => fuzz::fuzz_segment(&image),
        1 => fuzz::fuzz_mended_segment(&image),
        _ => fuzz::fuzz_forged_segment(&image),
    };
});
