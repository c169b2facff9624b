//! Minimises the PLA files of a folder and prints one line of figures for each: file, products,
//! input literals, multi-valued ones, output ones, processor seconds, OFF cubes, lower bound.

use std::time::Duration;

use pos_kernel_espresso::{Minimizer, Mode, Pla};

/// After this the exact mode answers with what it knows.
const EXACT_TIME: Duration = Duration::from_secs(60);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = match arguments.next().as_deref() {
        Some("fast") => Mode::Fast,
        Some("strong") => Mode::Strong,
        Some("exact") => Mode::Exact,
        _ => Mode::Normal,
    };
    for path in arguments {
        let text = std::fs::read(&path).expect("a readable file");
        let name = std::path::Path::new(&path).file_name().expect("a file").to_string_lossy();
        let pla = match Pla::parse(&text) {
            Ok(pla) => pla,
            Err(error) => {
                println!("{name}\tERROR {error}");
                continue;
            }
        };
        let mut minimizer = Minimizer::new(&pla.layout).mode(mode);
        if mode == Mode::Exact {
            minimizer = minimizer.time_limit(EXACT_TIME);
        }
        let start = processor_time();
        match pla.minimize(&minimizer) {
            Ok(answer) => {
                let seconds = processor_time().saturating_sub(start).as_secs_f64();
                let c = answer.cost;
                println!(
                    "{name}\t{}\t{}\t{}\t{}\t{seconds:.5}\t{}\t{}",
                    c.products,
                    c.inputs,
                    c.valued,
                    c.outputs,
                    answer.r.as_ref().map_or(0, |r| r.len()),
                    answer.lower_bound
                );
            }
            Err(error) => println!("{name}\tERROR {error}"),
        }
    }
}

/// Processor time of this thread, as the kernel counts it.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: u64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanoseconds)
}
