//! Products and literals of a PLA text, counted here for both sides alike.

use crate::checker;

#[derive(Clone, Copy, Default)]
pub struct Size {
    pub products: usize,
    pub literals: usize,
}

/// Counts the ON rows of a PLA as either program prints it. `question` gives the shape.
pub fn size(question: &checker::Table, text: &str) -> Size {
    let binaries = question.binaries;
    let width = question.sizes.iter().enumerate().map(|(i, s)| if i < binaries { 1 } else { *s });
    let inputs: usize = width.sum();
    let mut size = Size::default();
    for line in text.lines() {
        let columns: Vec<char> = line.chars().filter(|c| !c.is_whitespace() && *c != '|').collect();
        let is_row = !line.starts_with(['.', '#']) && columns.len() == inputs + question.on.len();
        if !is_row || !columns[inputs..].contains(&'1') {
            continue;
        }
        size.products += 1;
        size.literals += columns[..binaries].iter().filter(|c| **c != '-').count();
        size.literals += columns[binaries..].iter().filter(|c| **c == '1').count();
    }
    size
}
