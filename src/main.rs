//! The `whalecurve` binary.

use std::{
    io::{IsTerminal, stderr, stdout},
    process::ExitCode,
};

use clap::Parser;
use libmimalloc_sys::{mi_option_large_os_pages, mi_option_set_default, mi_option_t};
use whalecurve::cli::{Args, Streams, main as run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, which the bindings leave out.
const PURGE_DELAY: mi_option_t = 15;

/// Keeps freed memory for the next wave instead of giving it back, and takes huge pages where the system has them:
/// otherwise a batch job spends more time in the kernel, clearing pages, than in its own loops. `MIMALLOC_…` variables
/// win.
#[expect(unsafe_code, reason = "the allocator's options are C functions")]
fn tune_allocator() {
    // SAFETY: both functions store a number in a table of options; nothing else runs yet.
    unsafe {
        mi_option_set_default(PURGE_DELAY, -1);
        mi_option_set_default(mi_option_large_os_pages, 1);
    }
}

fn main() -> ExitCode {
    tune_allocator();
    let terminal = stderr().is_terminal();
    let mut streams = Streams { out: &mut stdout(), talk: &mut stderr(), terminal };
    ExitCode::from(run(Args::parse(), &mut streams).0)
}
