//! What is done to whole store folders: made fresh, copied, weighed, searched for blocks.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::store::Outcome;

pub const BLOCK_BYTES: usize = 4_096;

/// A place in a store's files that holds something: up to 4 KiB that are not all zero.
pub struct Block {
    /// Relative to the store's folder.
    pub file: PathBuf,
    pub offset: u64,
    pub bytes: usize,
}

/// Makes `dir` an empty folder, whatever it was.
pub fn fresh(dir: &Path) -> Outcome<()> {
    remove(dir)?;
    fs::create_dir_all(dir)?;
    Ok(())
}

pub fn remove(dir: &Path) -> Outcome<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

pub fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fresh(to)?;
    for file in files(from)? {
        let target = to.join(&file);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from.join(&file), target)?;
    }
    Ok(())
}

/// Writes everything of this file system out, so that the next measurement does not pay for it.
pub fn settle(dir: &Path) -> Outcome<()> {
    rustix::fs::syncfs(fs::File::open(dir)?)?;
    Ok(())
}

/// The disk space that the folder's files take, in bytes: blocks, not lengths.
pub fn disk_bytes(dir: &Path) -> Outcome<u64> {
    let mut total = 0;
    for file in files(dir)? {
        total += fs::metadata(dir.join(file))?.blocks() * 512;
    }
    Ok(total)
}

/// Every block that is not all zero, in the files that `wanted` accepts by name.
pub fn blocks(dir: &Path, wanted: impl Fn(&str) -> bool) -> Outcome<Vec<Block>> {
    let mut found = Vec::new();
    for file in files(dir)? {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        if !name.is_some_and(|name| wanted(&name)) {
            continue;
        }
        let mut content = Vec::new();
        fs::File::open(dir.join(&file))?.read_to_end(&mut content)?;
        for (index, block) in content.chunks(BLOCK_BYTES).enumerate() {
            if block.iter().any(|&byte| byte != 0) {
                let offset = (index * BLOCK_BYTES) as u64;
                found.push(Block { file: file.clone(), offset, bytes: block.len() });
            }
        }
    }
    Ok(found)
}

/// All regular files below `dir`, relative to it, in the order of their names.
fn files(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        for entry in fs::read_dir(dir.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
