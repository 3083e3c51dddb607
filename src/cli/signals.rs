//! SIGINT, SIGTERM and SIGHUP: what is staged goes, then the process ends with 130, 143 or 129.
//!
//! A commit that is under way is waited for; it takes as long as a few renames. So the output is the old one or the new
//! one, whole, and nothing stays beside it. Where the new one is in its place, the run is at its end: it tells its result, and its
//! exit code is 0.

use std::{
    sync::{Arc, atomic::AtomicBool},
    thread::sleep,
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag,
    iterator::Signals,
    low_level::exit,
};

use super::lineage;
use crate::{publish::folder, store::spool};

/// Exit codes are 128 and the number of the signal, as a shell tells it.
const KILLED_BY: i32 = 128;

/// How long a run whose output is in its place may take to tell its result: who reads it, or a receiver of lineage, may hang.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Waits for signals in a thread of its own.
///
/// # Errors
/// When the system refuses the handlers or the thread.
pub fn watch() -> std::io::Result<()> {
    // A file that may not grow is then an error of the write that fails, as a full disk is, and not the end of the process.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if !folder::abandon() {
                // The process ends by itself meanwhile.
                sleep(LAST_WORDS);
                exit(0);
            }
            spool::abandon();
            lineage::cut_off(&format!("the run was ended by signal {signal}"));
            // No destructors: other threads are at work still.
            exit(KILLED_BY + signal);
        }
    })?;
    Ok(())
}

/// Whether who started the process had it ignore a signal, as `nohup` does.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Where nobody says, it stays as it is.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask >> (signal - 1) & 1 == 1)
}
