//! Minimises the PLA files of a folder and prints one line of figures for each: file, products,
//! input literals, multi-valued ones, output ones, seconds.

use std::time::Instant;

use pos_kernel_espresso::{Minimizer, Mode, Pla};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = match arguments.next().as_deref() {
        Some("fast") => Mode::Fast,
        Some("strong") => Mode::Strong,
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
        let minimizer = Minimizer::new(&pla.layout).mode(mode);
        let start = Instant::now();
        match pla.minimize(&minimizer) {
            Ok(answer) => {
                let seconds = start.elapsed().as_secs_f64();
                let c = answer.cost;
                println!(
                    "{name}\t{}\t{}\t{}\t{}\t{seconds:.5}\t{}",
                    c.products,
                    c.inputs,
                    c.valued,
                    c.outputs,
                    answer.r.as_ref().map_or(0, |r| r.len())
                );
            }
            Err(error) => println!("{name}\tERROR {error}"),
        }
    }
}
