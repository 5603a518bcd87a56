//! What simulators do wrong on purpose: a plan, made of `--fault` and used up request by request.
//!
//! `[SIMULATOR:]KIND[=VALUE][:first=N][:path=GLOB][:method=METHOD]`, for example `sprites:503:first=3`, `delay=2s:path=/v1/services` or
//! `sprites:cut=1000`. Without a simulator all of them are meant, without `first` every request, without `path` every
//! path, without `method` every method; `*` in a path stands for anything. The kinds of [`GENERIC`] are the [`Faulty`] layer's work, before any
//! simulator sees the request; what only one simulator knows it declares itself and asks its plan for.

mod layer;
mod spec;

pub use layer::Faulty;
pub use spec::{Spec, parse};

use crate::transport::server::Request;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in `--fault`.
    pub name: &'static str,
    /// What follows the `=`.
    pub takes: Takes,
    /// What happens, in a few words.
    pub about: &'static str,
}

/// What a kind takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A number; this one if none is given.
    Number(u64),
    /// A duration; this many seconds if none is given.
    Seconds(u64),
}

/// The value of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// None.
    Nothing,
    /// A number.
    Number(u64),
    /// A duration.
    Duration(Duration),
}

impl Value {
    /// The number, or 0.
    pub fn number(self) -> u64 {
        if let Self::Number(number) = self { number } else { 0 }
    }

    /// The duration, or none at all.
    pub fn duration(self) -> Duration {
        if let Self::Duration(duration) = self { duration } else { Duration::ZERO }
    }
}

/// The faults of every server. The statuses are answered instead of by the simulator.
pub const GENERIC: &[Kind] = &[
    Kind { name: "delay", takes: Takes::Seconds(1), about: "answer so much later" },
    Kind { name: "cut", takes: Takes::Number(0), about: "close after so many bytes of a body or websocket" },
    Kind { name: "reset", takes: Takes::Number(0), about: "the same, with a TCP reset" },
    Kind { name: "stall", takes: Takes::Number(0), about: "send nothing after so many bytes, and never end" },
    Kind { name: "garbage", takes: Takes::Nothing, about: "a body that is nonsense" },
    Kind { name: "401", takes: Takes::Nothing, about: "not signed in" },
    Kind { name: "403", takes: Takes::Nothing, about: "not allowed" },
    Kind { name: "429", takes: Takes::Seconds(1), about: "too many requests, come back after so long" },
    Kind { name: "500", takes: Takes::Nothing, about: "internal error" },
    Kind { name: "502", takes: Takes::Nothing, about: "bad gateway" },
    Kind { name: "503", takes: Takes::Nothing, about: "not available" },
];

/// The faults of one simulator that are still to happen. Cheap to clone: all clones share them.
#[derive(Clone, Default)]
pub struct Plan(Arc<Mutex<Vec<Spec>>>);

impl Plan {
    /// The faults among `specs` that are meant for this simulator.
    pub fn new(specs: &[Spec], simulator: &str) -> Self {
        let meant = specs.iter().filter(|spec| spec.simulator.is_none_or(|id| id == simulator));
        Self(Arc::new(Mutex::new(meant.cloned().collect())))
    }

    /// The value of a fault of this kind that `request` meets, which is used up by that.
    pub fn take(&self, kind: &str, request: &Request) -> Option<Value> {
        let mut specs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = specs
            .iter_mut()
            .find(|spec| spec.kind.name == kind && spec.meets(request.method.as_str(), &request.path))?;
        if let Some(left) = &mut spec.first {
            *left -= 1;
        }
        Some(spec.value)
    }
}
