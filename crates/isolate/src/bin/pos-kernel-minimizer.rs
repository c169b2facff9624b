//! The worker program: everything it does is [`pos_kernel_isolate::worker_main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pos_kernel_isolate::worker_main())
}
