//! The trace: what the classic program prints, kept as text of bounded size.

use std::collections::VecDeque;

/// Bytes of the lines that are kept; the oldest go first.
const TRACE_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Trace {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Trace {
    pub(super) fn push(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > TRACE_BYTES_MAX {
            let Some(oldest) = self.lines.pop_front() else { return };
            self.bytes -= oldest.len() + 1;
        }
    }

    /// All lines, each with its end.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.bytes);
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{TRACE_BYTES_MAX, Trace};

    #[test]
    fn the_oldest_lines_go_when_there_are_too_many() {
        let mut trace = Trace::default();
        for number in 0..100_000 {
            trace.push(number.to_string());
        }
        let text = trace.text();
        assert!(text.len() <= TRACE_BYTES_MAX);
        assert!(text.len() > TRACE_BYTES_MAX - 16);
        assert!(text.ends_with("99998\n99999\n"));
    }
}
