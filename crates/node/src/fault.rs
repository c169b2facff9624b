//! Errors: a JavaScript `Error` with `code`, `family` and `facts`, made from the kernel's.

use napi::bindgen_prelude::JsValue;
use napi::{Env, Status};
use pos_kernel_core::{Code, Error};

/// The kernel's error as one that JavaScript catches.
pub(crate) fn thrown(env: &Env, error: &Error) -> napi::Error {
    let build = || -> napi::Result<napi::Error> {
        let plain = napi::Error::new(Status::GenericFailure, error.message().to_owned());
        let mut object = env.create_error(plain)?;
        object.set("code", error.code().name())?;
        object.set("family", error.code().family().name())?;
        object.set("facts", error.facts())?;
        Ok(napi::Error::from(object.to_unknown()))
    };
    build().unwrap_or_else(|failed| failed)
}

/// A malformed argument.
pub(crate) fn argument(name: &str, message: String) -> Error {
    Error::new(Code::BadArgument, message).with("argument", name)
}

/// Turns a kernel result into one that N-API takes.
pub(crate) trait Cross<T> {
    fn cross(self, env: &Env) -> napi::Result<T>;
}

impl<T> Cross<T> for pos_kernel_core::Result<T> {
    fn cross(self, env: &Env) -> napi::Result<T> {
        self.map_err(|error| thrown(env, &error))
    }
}
