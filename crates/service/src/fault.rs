//! What is refused here, in words: the thing, the value, the limit, the next step.

use pos_kernel_core::{Code, Error};
use serde_json::{Value, json};

#[cfg(unix)]
pub(crate) use on_sockets::*;

pub(crate) fn bad_length(bytes: usize, most: usize) -> Error {
    let message = format!(
        "a frame of {bytes} bytes is not one of 13 to {most}; the peer speaks another protocol, or \
         what it sends is too large: send less in one call"
    );
    Error::new(Code::BadFrame, message).with("bytes", bytes).with("limit", most)
}

pub(crate) fn bad_kind(kind: u8) -> Error {
    let message = format!("frame kind {kind} is not known here; the peer speaks another protocol");
    Error::new(Code::BadFrame, message).with("kind", kind)
}

pub(crate) fn bad_frame(found: &str) -> Error {
    Error::new(Code::BadFrame, format!("the connection was ended: {found}")).with("found", found)
}

/// A payload that is not what its kind says.
pub(crate) fn bad_greeting(found: &str) -> Error {
    bad_frame(&format!("its greeting cannot be read ({found})"))
}

/// Versions that do not go together.
pub(crate) fn version(what: &str, client: &str, service: &str) -> Error {
    let message = format!(
        "the client has {what} {client}, the service {service}; install the same version of \
         pos-kernel for both, then connect again"
    );
    Error::new(Code::ProtocolVersion, message)
        .with("what", what)
        .with("client", client)
        .with("service", service)
}

/// An error as JSON, as every door shows it.
pub(crate) fn to_json(error: &Error) -> Value {
    json!({
        "ok": false,
        "code": error.code().name(),
        "message": error.message(),
        "facts": error.facts(),
    })
}

/// The error that JSON shows; one that this version does not know keeps its sentence.
pub(crate) fn of_json(payload: &[u8]) -> Error {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return bad_frame("an error that is not JSON came");
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = Code::ALL.iter().find(|code| code.name() == text("code"));
    let mut error = Error::new(code.copied().unwrap_or(Code::BadFrame), text("message"));
    for (name, fact) in value.get("facts").and_then(Value::as_object).into_iter().flatten() {
        error = error.with(name, fact.clone());
    }
    error
}

#[cfg(unix)]
mod on_sockets {
    use pos_kernel_core::{Code, Error};
    use serde_json::{Value, json};
    use std::io;
    use std::path::Path;

    /// Nobody answers at a socket.
    pub(crate) fn down(socket: &Path, cause: &io::Error) -> Error {
        let message = format!(
            "no kernel service answers at {}: {cause}. Nothing was done; start \"pos-kernel store \
             serve\", then call again",
            socket.display()
        );
        Error::new(Code::ServiceDown, message)
            .with("socket", socket.display().to_string())
            .with("cause", cause.to_string())
            .with("osCode", cause.raw_os_error().map_or(Value::Null, Value::from))
    }

    /// The socket is somebody else's.
    pub(crate) fn shut(socket: &Path, cause: &io::Error) -> Error {
        let message = format!(
            "this user may not open {}: {cause}; run as the user of the service, or start it with \
             --allow-uid",
            socket.display()
        );
        Error::new(Code::NotAllowed, message)
            .with("socket", socket.display().to_string())
            .with("uid", rustix::process::geteuid().as_raw())
    }

    /// The connection broke under a call that may not be sent twice.
    pub(crate) fn unknown(socket: &Path) -> Error {
        let message = format!(
            "the connection to {} broke while the call was under way, and it had no idempotency \
             key: whether it was done is not known. Look at the sale, or use a key: a call with one \
             is sent again",
            socket.display()
        );
        Error::new(Code::OutcomeUnknown, message)
            .with("operation", "service call")
            .with("cause", "the connection broke")
            .with("osCode", Value::Null)
    }

    /// The connection was closed by this side.
    pub(crate) fn closed() -> Error {
        Error::new(Code::Closed, "the connection to the kernel service is closed; connect again")
    }

    /// A user who may not come in.
    pub(crate) fn not_allowed(uid: u32, allowed: &[u32]) -> Error {
        let message = format!(
            "user {uid} may not use this kernel service; start it with --allow-uid {uid} to let it"
        );
        Error::new(Code::NotAllowed, message).with("uid", uid).with("allowed", allowed)
    }

    /// A terminal whose seat is taken.
    pub(crate) fn taken(terminal: &str, pid: Option<u32>, uid: Option<u32>) -> Error {
        let holder =
            pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let message = format!(
            "terminal {terminal} is used by {holder} through the kernel service; close it there, or \
             choose another terminal"
        );
        Error::new(Code::TerminalInUse, message)
            .with("terminal", terminal)
            .with("holder", json!({ "pid": pid, "uid": uid }))
    }

    /// Another process serves the store.
    pub(crate) fn in_use(socket: &Path, holder: Option<u32>) -> Error {
        let who =
            holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let message = format!(
            "{who} serves at {} already; stop it, or serve another store",
            socket.display()
        );
        Error::new(Code::ServiceInUse, message)
            .with("socket", socket.display().to_string())
            .with("pid", holder)
    }

    /// A failed file operation.
    pub(crate) fn io(operation: &str, path: &Path, cause: &io::Error) -> Error {
        Error::new(Code::Io, format!("cannot {operation} {}: {cause}", path.display()))
            .with("operation", operation)
            .with("path", path.display().to_string())
            .with("osCode", cause.raw_os_error().map_or(Value::Null, Value::from))
    }

    /// A limit that is reached.
    pub(crate) fn limit(what: &str, value: usize, limit: usize, next: &str) -> Error {
        let message = format!("{what}: {value} is over the limit of {limit}; {next}");
        Error::new(Code::Limit, message)
            .with("what", what)
            .with("value", value)
            .with("limit", limit)
    }
}
