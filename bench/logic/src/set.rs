//! The files that are measured, in the groups that the goals speak of.

use std::path::{Path, PathBuf};

/// Where a file comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The examples that came with the C program.
    Mcnc,
    /// Decision tables and sparse random tables.
    Tables,
}

/// Dense tables of few inputs and several outputs, counted once more by themselves.
const DENSE: [&str; 6] =
    ["ex5.pla", "ex1010.pla", "test3.pla", "max512.pla", "mlp4.pla", "misex3c.pla"];

pub struct File {
    pub name: String,
    pub path: PathBuf,
    pub text: String,
    pub group: Group,
    /// Whether the exact mode of the C program ended within a minute when the reference was made.
    pub c_exact_ends: bool,
    /// Whether that mode or the one of signature cubes proved a minimum then.
    pub c_proved: bool,
}

impl File {
    pub fn is_dense(&self) -> bool {
        DENSE.contains(&self.name.as_str())
    }
    /// Files that the thread-local bindings can take: they know no multi-valued inputs.
    pub fn is_binary(&self) -> bool {
        !self.text.contains(".mv")
    }
}

/// All files of a folder that REFERENCE.tsv lists, in the order of their names.
pub fn read(folder: &Path) -> std::io::Result<Vec<File>> {
    let reference = std::fs::read_to_string(folder.join("REFERENCE.tsv"))?;
    let mut lines = reference.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut files = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |name: &str| {
            let at = head.iter().position(|known| *known == name);
            at.and_then(|at| cells.get(at)).copied().unwrap_or_default()
        };
        let (name, source) = (cell("file"), cell("source"));
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path)?;
        let group = if source.starts_with("ucb") { Group::Mcnc } else { Group::Tables };
        let c_exact_ends = cell("exact_c") != "timeout";
        let c_proved = matches!(cell("min_status"), "proved:exact" | "proved:signature");
        files.push(File { name: name.to_owned(), path, text, group, c_exact_ends, c_proved });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
