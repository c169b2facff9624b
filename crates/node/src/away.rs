//! Calls that read journals, lock files or wait for other tills: on a pool thread, so that the event
//! loop goes on. What they make is durable before they answer.

use crate::fault::thrown;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};
use pos_kernel_core::terminal::Answer;
use pos_kernel_core::{Result, Terminal};
use std::sync::Arc;

type Work<T> = Box<dyn FnOnce(&Terminal) -> Result<T> + Send>;

/// One such call.
pub struct Away<T> {
    terminal: Arc<Terminal>,
    work: Option<Work<T>>,
}

/// Runs a call on a pool thread.
pub(crate) fn away<T: ToNapiValue + TypeName + Send + 'static>(
    terminal: &Arc<Terminal>,
    work: impl FnOnce(&Terminal) -> Result<T> + Send + 'static,
) -> AsyncTask<Away<T>> {
    AsyncTask::new(Away { terminal: terminal.clone(), work: Some(Box::new(work)) })
}

/// Waits until an answer is as durable as it has to be.
pub(crate) fn settled<T>(terminal: &Terminal, answer: Answer<T>) -> Result<Answer<T>> {
    if answer.wait {
        terminal.wait_durable(answer.sequence)?;
    }
    Ok(answer)
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Away<T> {
    type Output = Result<T>;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.work.take().expect("a task is computed once");
        Ok(work(&self.terminal))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<T> {
        output.map_err(|error| thrown(&env, &error))
    }
}
