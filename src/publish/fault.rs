//! Named places at which a test makes a run fail or die. Without the feature `faults` there is nothing here.

use std::io;
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicU64, Ordering};

/// How many places the process has come by.
#[cfg(feature = "faults")]
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Fails or dies where `WHALECURVE_FAULT` names this place: `PLACE:kill` ends the process at once, as `kill -9` does;
/// `PLACE:error` is an I/O error. `#7:error` is one at the seventh place that the process comes by, whichever that is.
///
/// # Errors
/// The error that was asked for.
#[cfg(feature = "faults")]
#[expect(clippy::disallowed_methods, reason = "a test sets the variable; released binaries do not have this function")]
pub(super) fn at(place: &str) -> io::Result<()> {
    let asked = std::env::var("WHALECURVE_FAULT").unwrap_or_default();
    let number = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
    match asked.split_once(':') {
        Some((named, "error")) if named.strip_prefix('#').is_some_and(|asked| asked.parse() == Ok(number)) => {
            Err(io::Error::other("a fault that a test asked for"))
        }
        Some((named, "kill")) if named == place => {
            let own = std::process::id().to_string();
            std::process::Command::new("kill").args(["-9", &own]).status()?;
            Err(io::Error::other("still alive"))
        }
        Some((named, "error")) if named == place => Err(io::Error::other("a fault that a test asked for")),
        _ => Ok(()),
    }
}

/// Nothing happens.
///
/// # Errors
/// None.
#[cfg(not(feature = "faults"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `faults` it fails")]
pub(super) fn at(_place: &str) -> io::Result<()> {
    Ok(())
}
