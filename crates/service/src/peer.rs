//! Who is at the other end of a socket, as the system says: nobody can claim to be somebody else.

use std::os::unix::net::UnixStream;

/// A process at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) pid: Option<u32>,
    pub(crate) uid: Option<u32>,
}

/// Asks the system. Where it does not tell, the modes of the socket and its folder are the guard.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn peer_of(socket: &UnixStream) -> std::io::Result<Peer> {
    let found = rustix::net::sockopt::socket_peercred(socket)?;
    let pid = u32::try_from(found.pid.as_raw_nonzero().get()).ok();
    Ok(Peer { pid, uid: Some(found.uid.as_raw()) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn peer_of(_socket: &UnixStream) -> std::io::Result<Peer> {
    Ok(Peer { pid: None, uid: None })
}

/// Whether the system tells who a peer is.
pub(crate) const IS_KNOWN: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The other end has hung up: nobody will read what is sent.
pub(crate) fn has_hung_up(socket: &UnixStream) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut asked = [PollFd::new(socket, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut asked, Some(&at_once)) {
        Ok(_) => asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR),
        Err(_) => false,
    }
}
