//! Panics without their text: it may hold a cell's value, and decoders of damaged files panic on purpose.

use std::sync::{Mutex, OnceLock};

use crate::read::Refusal;

/// Where the last panic was.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// What the system refused a thread that panicked over it. Whatever fails then, fails for want of it.
static REFUSED: OnceLock<Refusal> = OnceLock::new();

/// Replaces the hook that prints panics by one that remembers where they were.
pub(super) fn keep_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        if let Some(refusal) = panic.payload_as_str().and_then(Refusal::of) {
            let _ = REFUSED.set(refusal);
        }
        if let (Some(location), Ok(mut last)) = (panic.location(), LAST.lock()) {
            *last = Some(format!("{}:{}", location.file(), location.line()));
        }
    }));
}

/// Source file and line of the last panic.
pub(super) fn last() -> String {
    LAST.lock().ok().and_then(|last| last.clone()).unwrap_or_else(|| "an unknown place".to_owned())
}

/// What the system refused, where a panic says so.
pub(super) fn refused() -> Option<Refusal> {
    REFUSED.get().copied()
}
