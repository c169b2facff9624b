//! The software key: `signing.key` in the terminal's folder, readable by its owner alone.
//!
//! ```text
//! pos-kernel signing key 1
//! ed25519 <64 hexadecimal digits: the secret>
//! ```
//! A key that others can read is no key: it is refused, not mended, since nobody knows who has read
//! it. A new key is written beside the old one and takes its place once the journal names it, so a
//! crash between the two leaves a key that the journal knows.

use super::{ED25519, Signer, SignerFault, SignerInfo};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::hex;
use ed25519_dalek::{Signer as _, SigningKey};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "signing.key";
const NEXT_FILE: &str = "signing.key.next";
const TITLE: &str = "pos-kernel signing key 1";
const SECRET_BYTES: usize = 32;

/// The software key of a terminal.
pub struct KeyFile {
    key: SigningKey,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let public = hex(self.key.verifying_key().as_bytes());
        f.debug_struct("KeyFile").field("public", &public).finish_non_exhaustive()
    }
}

impl KeyFile {
    /// The key of a terminal's folder, made when there is none. `journaled` is the public key that
    /// the journal names: it decides whether a new key has taken the place of the old one.
    ///
    /// # Errors
    /// `PK_E_KEY_FILE` when others can read the file or it holds no key, `PK_E_IO`.
    pub fn open(dir: &Path, journaled: Option<&[u8]>) -> Result<Self> {
        let (path, next) = (dir.join(FILE), dir.join(NEXT_FILE));
        if let Some(key) = read(&next)? {
            if journaled == Some(key.verifying_key().as_bytes().as_slice()) {
                replace(dir, &next, &path)?;
                return Ok(Self { key });
            }
            fs::remove_file(&next).map_err(|error| Error::io("remove", &next, &error))?;
        }
        if let Some(key) = read(&path)? {
            return Ok(Self { key });
        }
        let key = new_key()?;
        write(dir, &path, &key)?;
        Ok(Self { key })
    }

    /// Writes a new key beside the one in use.
    pub(crate) fn prepare_next(dir: &Path) -> Result<Self> {
        let next = dir.join(NEXT_FILE);
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &next, &error));
            }
            _ => {}
        }
        let key = new_key()?;
        write(dir, &next, &key)?;
        Ok(Self { key })
    }

    /// Puts the new key in the place of the old one: the journal names it now.
    pub(crate) fn take_next(dir: &Path) -> Result<()> {
        replace(dir, &dir.join(NEXT_FILE), &dir.join(FILE))
    }
}

impl Signer for KeyFile {
    fn info(&self) -> SignerInfo {
        SignerInfo {
            signer: "software".to_owned(),
            algorithm: ED25519.to_owned(),
            key: self.key.verifying_key().as_bytes().to_vec(),
        }
    }

    fn sign(&self, statement: &[u8]) -> std::result::Result<Vec<u8>, SignerFault> {
        Ok(self.key.sign(statement).to_bytes().to_vec())
    }
}

fn new_key() -> Result<SigningKey> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(|error| {
        let message = format!("the system gives no random bytes for a signing key: {error}");
        Error::new(Code::Io, message).with("operation", "random")
    })?;
    Ok(SigningKey::from_bytes(&secret))
}

/// The key in a file; `None` without a file.
fn read(path: &Path) -> Result<Option<SigningKey>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open", path, &error)),
    };
    // The open file is asked, not its name: the name may belong to another file a moment later.
    hold_private(&file, path)?;
    let text = io::read_to_string(file).map_err(|error| Error::io("read", path, &error))?;
    let key = parse(&text).ok_or_else(|| refused(path, "it holds no key"))?;
    Ok(Some(key))
}

fn parse(text: &str) -> Option<SigningKey> {
    let rest = text.strip_prefix(TITLE)?.strip_prefix("\ned25519 ")?;
    let digits = rest.strip_suffix('\n').filter(|digits| digits.len() == 2 * SECRET_BYTES)?;
    let mut secret = [0; SECRET_BYTES];
    for (byte, pair) in secret.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| (pair[at] as char).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(SigningKey::from_bytes(&secret))
}

#[cfg(unix)]
fn hold_private(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|error| Error::io("look at", path, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let found = format!(
        "its mode is {mode:03o}, so others can use it; restore 600 if nobody has read it, else \
         remove it for a new key"
    );
    Err(refused(path, &found).with("mode", format!("{mode:03o}")))
}

#[cfg(not(unix))]
fn hold_private(_file: &File, _path: &Path) -> Result<()> {
    Ok(())
}

fn refused(path: &Path, found: &str) -> Error {
    let message = format!("the signing key {} is refused: {found}", path.display());
    Error::new(Code::KeyFile, message).with("path", path.display().to_string())
}

fn write(dir: &Path, path: &Path, key: &SigningKey) -> Result<()> {
    // A temporary name first: a crash must not leave half a key under the real one.
    let temporary: PathBuf = path.with_extension("tmp");
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = format!("{TITLE}\ned25519 {}\n", hex(&key.to_bytes()));
    options
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Error::io("write", &temporary, &error))?;
    replace(dir, &temporary, path)
}

fn replace(dir: &Path, from: &Path, to: &Path) -> Result<()> {
    use pos_kernel_wal::storage::Storage;
    fs::rename(from, to)
        .and_then(|()| pos_kernel_wal::OsStorage.sync_dir(dir))
        .map_err(|error| Error::io("rename", from, &error))
}
