//! Where a service is found: a socket in a folder of its store, and a lock beside it.
//!
//! ```text
//! <root>/service/          0700: its owner alone; 0711 when other users are let in
//!   service.lock           held for as long as the service lives; tells its process id
//!   service.sock           0600; 0666 when other users are let in, whose names the system tells
//! ```
//! A socket file outlives a process that was killed. Whoever holds the lock is the only server there
//! can be, so it may take such a file away; without the lock nobody touches it.

use crate::fault;
use pos_kernel_core::{Code, Error, Result};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Bytes of a socket's path that every Unix takes: the field has 104 or 108, and ends with a zero.
pub const SOCKET_PATH_BYTES_MAX: usize = 103;

/// The socket of a store, where none is named.
pub(crate) fn socket_of(root: &Path) -> PathBuf {
    root.join("service").join("service.sock")
}

/// Refuses a path that does not fit the address of a socket.
pub(crate) fn check_length(socket: &Path) -> Result<()> {
    let bytes = socket.as_os_str().len();
    if bytes <= SOCKET_PATH_BYTES_MAX {
        return Ok(());
    }
    let next = "name a shorter one with --socket, such as /run/pos-kernel.sock";
    Err(fault::limit("bytes of the socket's path", bytes, SOCKET_PATH_BYTES_MAX, next))
}

/// A socket that listens, and the lock that makes it the only one.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) socket: PathBuf,
    pub(crate) listener: UnixListener,
    _lock: File,
}

impl Place {
    /// Takes the place, or says who has it.
    pub(crate) fn take(socket: &Path, is_shared: bool) -> Result<Self> {
        check_length(socket)?;
        let folder = socket.parent().unwrap_or(Path::new("."));
        let mode = if is_shared { 0o711 } else { 0o700 };
        let made = !folder.exists();
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(folder)
            .map_err(|error| fault::io("make the folder", folder, &error))?;
        // A folder that somebody else made is not ours to close; the socket's own mode is.
        if made || folder.file_name().is_some_and(|name| name == "service") {
            std::fs::set_permissions(folder, Permissions::from_mode(mode))
                .map_err(|error| fault::io("set the mode of", folder, &error))?;
        }
        let lock = locked(socket)?;
        clear(socket)?;
        let listener =
            UnixListener::bind(socket).map_err(|error| fault::io("bind", socket, &error))?;
        let mode = if is_shared { 0o666 } else { 0o600 };
        std::fs::set_permissions(socket, Permissions::from_mode(mode))
            .map_err(|error| fault::io("set the mode of", socket, &error))?;
        Ok(Self { socket: socket.to_owned(), listener, _lock: lock })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The lock is still held, so the file is ours. One that is gone already is no loss.
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn locked(socket: &Path) -> Result<File> {
    let path = socket.with_extension("lock");
    let io = |operation: &str, error: &std::io::Error| fault::io(operation, &path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nofollow())
        .open(&path)
        .map_err(|error| io("open", &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let told = file.read_to_string(&mut holder).ok();
            return Err(fault::in_use(socket, told.and_then(|_| holder.trim().parse().ok())));
        }
        Err(TryLockError::Error(error)) => return Err(io("lock", &error)),
    }
    let told = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()));
    told.map_err(|error| io("write", &error))?;
    Ok(file)
}

fn nofollow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Takes away the socket that a service left which was killed; anything else is not touched.
fn clear(socket: &Path) -> Result<()> {
    match std::fs::symlink_metadata(socket) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(fault::io("look at", socket, &error)),
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(socket)
            .map_err(|error| fault::io("remove the old socket", socket, &error)),
        Ok(_) => {
            let message = format!(
                "{} is not a socket; move it away, or name another place with --socket",
                socket.display()
            );
            Err(Error::new(Code::BadArgument, message)
                .with("argument", "socket")
                .with("value", socket.display().to_string()))
        }
    }
}
