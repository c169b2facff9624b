//! Writes a cover as PLA text, with the names that the file it came from gave.

use std::fmt::Write;

use super::{Kind, Pla};
use crate::cover::Cover;
use crate::cube;

impl Pla {
    /// The text of a PLA whose ON rows are `f`, with don't-care rows and OFF rows when given.
    /// Names, shape and phase are those of this file.
    pub fn text(&self, f: &Cover, d: Option<&Cover>, r: Option<&Cover>) -> String {
        let layout = &*self.layout;
        let mut text = String::new();
        // Writing to a string cannot fail.
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            let _ = text.write_fmt(arguments);
            text.push('\n');
        };
        let valued = layout.valued();
        if valued.is_empty() {
            line(format_args!(".i {}", layout.binaries()));
            line(format_args!(".o {}", layout.outputs()));
        } else {
            let sizes: Vec<String> = valued.iter().map(|size| format!(" {size}")).collect();
            line(format_args!(
                ".mv {} {}{} {}",
                layout.variables().len(),
                layout.binaries(),
                sizes.concat(),
                layout.outputs()
            ));
        }
        if !self.input_names.is_empty() {
            line(format_args!(".ilb {}", self.input_names.join(" ")));
        }
        for (index, names) in self.value_names.iter().enumerate() {
            if !names.is_empty() {
                line(format_args!(".label var={} {}", layout.binaries() + index, names.join(" ")));
            }
        }
        if !self.output_names.is_empty() {
            if valued.is_empty() {
                line(format_args!(".ob {}", self.output_names.join(" ")));
            } else {
                let names = self.output_names.join(" ");
                line(format_args!(".label var={} {names}", layout.output_variable()));
            }
        }
        if let Some(phase) = &self.phase {
            let bits: String = phase.iter().map(|&p| if p { '1' } else { '0' }).collect();
            line(format_args!("#.phase {bits}"));
        }
        let kind = Kind { f: true, d: d.is_some(), r: r.is_some() };
        if kind != Kind::FD {
            line(format_args!(".type {}", kind.name()));
        }
        let count = f.len() + d.map_or(0, Cover::len) + r.map_or(0, Cover::len);
        line(format_args!(".p {count}"));
        let mut out = String::new();
        for (cover, has, not) in [
            (Some(f), '1', if r.is_some() { '~' } else { '0' }),
            (d, if kind == Kind::FD { '2' } else { '-' }, '~'),
            (r, '0', '~'),
        ] {
            for c in cover.iter().flat_map(|c| c.cubes()) {
                self.row(c, has, not, &mut out);
            }
        }
        text.push_str(&out);
        text.push_str(".e\n");
        text
    }

    /// The rows of a cover, each a line of the same length: binary columns, then the multi-valued
    /// fields and the outputs as ones and zeros, each field after one separator.
    pub fn rows_text(&self, cover: &Cover) -> String {
        let mut out = String::new();
        for c in cover.cubes() {
            self.row(c, '1', '0', &mut out);
        }
        out
    }

    fn row(&self, c: &[u64], has: char, not: char, out: &mut String) {
        let layout = &*self.layout;
        let valued = layout.inputs() > layout.binaries();
        for (index, variable) in layout.variables().iter().enumerate() {
            let bit = |part: usize| cube::has_bit(c, variable.first_bit + part);
            if index < layout.binaries() {
                out.push(match (bit(0), bit(1)) {
                    (true, true) => '-',
                    (true, false) => '0',
                    _ => '1',
                });
                continue;
            }
            if index > 0 {
                out.push(if valued { '|' } else { ' ' });
            }
            let (one, zero) =
                if index == layout.output_variable() { (has, not) } else { ('1', '0') };
            out.extend((0..variable.parts).map(|part| if bit(part) { one } else { zero }));
        }
        out.push('\n');
    }
}
