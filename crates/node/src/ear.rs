//! Who in JavaScript hears that a journal has become durable: a function of its own for a terminal by
//! itself; for the terminals of a store one that says only that there is something to fetch. A round
//! of a store makes many journals durable at once, and each crossing costs as much as a sale.

use crate::terminal::NativeFault;
use crate::value::{as_double, number};
use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use pos_kernel_core::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type DurableArgs = FnArgs<(f64, Option<NativeFault>)>;
pub(crate) type DurableCallback<'a> = Function<'a, DurableArgs, ()>;
type OwnFunction = ThreadsafeFunction<DurableArgs, (), DurableArgs, Status, false, true>;
pub(crate) type ToldCallback<'a> = Function<'a, (), ()>;
type ToldFunction = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What stands for a fault among sequences.
const FAULT: f64 = -1.0;

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hears for one terminal.
#[derive(Clone)]
pub(crate) enum Ear {
    Own(Arc<Mutex<OwnFunction>>),
    /// The terminal's number in its store.
    InStore(Arc<Mailbox>, u32),
}

impl Ear {
    pub(crate) fn own(on_durable: &DurableCallback<'_>) -> napi::Result<Self> {
        let function = on_durable.build_threadsafe_function();
        let function = function.callee_handled::<false>().weak::<true>().build()?;
        Ok(Self::Own(Arc::new(Mutex::new(function))))
    }

    /// Called from any thread.
    pub(crate) fn tell(&self, durable: Result<u64>) {
        let (sequence, fault) = match durable {
            Ok(sequence) => (as_double(number(sequence)), None),
            Err(error) => (FAULT, Some(NativeFault::from(&error))),
        };
        match self {
            Self::Own(function) => {
                let args = (sequence, fault).into();
                held(function).call(args, ThreadsafeFunctionCallMode::NonBlocking);
            }
            Self::InStore(mailbox, terminal) => mailbox.put(*terminal, sequence, fault),
        }
    }

    /// Keeps the process alive.
    #[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
    pub(crate) fn hold(&self, env: &Env) -> napi::Result<()> {
        match self {
            Self::Own(function) => held(function).refer(env),
            Self::InStore(mailbox, _) => mailbox.hold(env),
        }
    }

    /// Lets it end.
    #[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
    pub(crate) fn release(&self, env: &Env) -> napi::Result<()> {
        match self {
            Self::Own(function) => held(function).unref(env),
            Self::InStore(mailbox, _) => mailbox.release(env),
        }
    }
}

/// What the terminals of a store have to tell.
pub(crate) struct Mailbox {
    letters: Mutex<Letters>,
    /// The function, and how many terminals keep the process alive.
    function: Mutex<(ToldFunction, u32)>,
}

#[derive(Default)]
struct Letters {
    /// Number of a terminal and durable sequence, in turns.
    told: Vec<f64>,
    fault: Option<NativeFault>,
}

impl Mailbox {
    pub(crate) fn new(on_told: &ToldCallback<'_>) -> napi::Result<Arc<Self>> {
        let function = on_told.build_threadsafe_function();
        let function = function.callee_handled::<false>().weak::<true>().build()?;
        let (letters, function) = (Mutex::default(), Mutex::new((function, 0)));
        Ok(Arc::new(Self { letters, function }))
    }

    fn put(&self, terminal: u32, sequence: f64, fault: Option<NativeFault>) {
        let mut letters = held(&self.letters);
        let is_first = letters.told.is_empty();
        letters.told.extend([f64::from(terminal), sequence]);
        letters.fault = fault.or(letters.fault.take());
        drop(letters);
        // Whoever fetches takes all: one call is enough until then.
        if is_first {
            held(&self.function).0.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Takes what there is to tell, and the fault behind each sequence that is below zero.
    pub(crate) fn take(&self) -> (Vec<f64>, Option<NativeFault>) {
        let letters = std::mem::take(&mut *held(&self.letters));
        (letters.told, letters.fault)
    }

    #[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
    fn hold(&self, env: &Env) -> napi::Result<()> {
        let mut function = held(&self.function);
        function.1 += 1;
        if function.1 == 1 { function.0.refer(env) } else { Ok(()) }
    }

    #[allow(deprecated, reason = "cloning cannot turn a weak function into a strong one and back")]
    fn release(&self, env: &Env) -> napi::Result<()> {
        let mut function = held(&self.function);
        let held_before = function.1;
        function.1 = held_before.saturating_sub(1);
        if held_before == 1 { function.0.unref(env) } else { Ok(()) }
    }
}
