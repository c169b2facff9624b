//! The check of an archive that is at hand: each manifest by its own hash, each file by the hash in
//! it. What the segments hold is checked with the journal that they belong to.

use super::manifest::{Manifest, ManifestSignature};
use crate::error::{Error, Result};
use crate::signing::{holds, statement};
use pos_kernel_wal::archive::hash_segment;
use pos_kernel_wal::storage::{Storage, read_all};
use std::path::Path;

/// What is wrong with an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFault {
    /// Segment.
    pub segment: u32,
    /// A sentence about it.
    pub message: String,
}

/// Reads the manifests of a folder and checks them, in the order of their segments. No folder is no
/// archive.
///
/// # Errors
/// `PK_E_IO`.
pub fn check(
    storage: &dyn Storage,
    folder: &Path,
    terminal: &str,
) -> Result<(Vec<Manifest>, Vec<ArchiveFault>)> {
    let mut names = match storage.list(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((vec![], vec![])),
        Err(error) => return Err(Error::io("list", folder, &error)),
    };
    names.sort_unstable();
    let (mut manifests, mut faults) = (Vec::new(), Vec::new());
    for name in names.iter().filter(|name| is_manifest(name)) {
        let path = folder.join(name);
        let bytes = read_all(storage, &path).map_err(|error| Error::io("read", &path, &error))?;
        let manifest = Manifest::from_bytes(&bytes).filter(|read| read.file_name() == *name);
        let Some(manifest) = manifest else {
            let segment = name[8..].split('-').next().and_then(|it| it.parse().ok()).unwrap_or(0);
            let message = format!("the manifest {name} is not as it was written");
            faults.push(ArchiveFault { segment, message });
            continue;
        };
        faults.extend(faults_of(storage, folder, terminal, &manifest));
        manifests.push(manifest);
    }
    Ok((manifests, faults))
}

fn is_manifest(name: &str) -> bool {
    name.starts_with("archive-") && name.ends_with(".manifest")
}

fn faults_of(
    storage: &dyn Storage,
    folder: &Path,
    terminal: &str,
    manifest: &Manifest,
) -> Vec<ArchiveFault> {
    let mut faults = Vec::new();
    let first = manifest.ends().0.segment;
    let mut fault = |segment, message: String| faults.push(ArchiveFault { segment, message });
    if manifest.terminal != terminal {
        fault(first, format!("the archive belongs to terminal {}", manifest.terminal));
    }
    if let Some(ManifestSignature { algorithm, key, signature }) = &manifest.signature {
        let words = statement::manifest(&manifest.terminal, &manifest.hash());
        if holds(algorithm, key, &words, signature) == Some(false) {
            fault(first, "the signature of the manifest does not hold".to_owned());
        }
    }
    for segment in &manifest.segments {
        match hash_segment(storage, folder, segment.segment) {
            Ok(found) if found.hash == segment.hash && found.bytes == segment.bytes => {}
            Ok(_) => fault(segment.segment, "the segment is not the one that was archived".into()),
            // The reader of the journal says that it is missing.
            Err(_) => {}
        }
    }
    faults
}
