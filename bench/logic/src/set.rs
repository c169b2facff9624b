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
    let mut files = Vec::new();
    for line in reference.lines().skip(1) {
        let mut cells = line.split('\t');
        let (Some(name), Some(source)) = (cells.next(), cells.next()) else { continue };
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path)?;
        let group = if source.starts_with("ucb") { Group::Mcnc } else { Group::Tables };
        files.push(File { name: name.to_owned(), path, text, group });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
