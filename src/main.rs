//! The `whalecurve` binary.

use std::{
    env,
    io::{IsTerminal, stderr, stdout},
    num::NonZeroUsize,
    process::ExitCode,
    thread::available_parallelism,
};

use clap::Parser;
use libmimalloc_sys::{mi_option_large_os_pages, mi_option_set_default, mi_option_t};
use whalecurve::cli::{Args, Exit, main as run, misused, signals, streams::Streams};

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

/// Lets half of the cores decode: decoding is a third of the work of a ledger, and every decoder holds row groups in
/// memory. The kernels use all cores beside it. A `POLARS_MAX_THREADS` that is set already wins.
#[expect(unsafe_code, reason = "the decoder's threads are set by the environment alone")]
#[expect(clippy::disallowed_methods, reason = "the binary is where the environment is read")]
fn tune_decoder() {
    const DECODERS: &str = "POLARS_MAX_THREADS";
    if env::var_os(DECODERS).is_none() {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        // SAFETY: no other thread runs yet that could read the environment meanwhile.
        unsafe { env::set_var(DECODERS, cores.div_ceil(2).to_string()) };
    }
}

fn main() -> ExitCode {
    tune_allocator();
    tune_decoder();
    let terminal = stderr().is_terminal();
    let (mut out, mut talk) = (stdout(), stderr());
    let mut streams = Streams::new(&mut out, &mut talk, terminal);
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let typed: Vec<String> = env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            return ExitCode::from(misused(&error, &typed, &mut streams).0);
        }
    };
    if let Err(error) = signals::watch() {
        let exit = streams.fail(&format!("signals cannot be watched for: {error}"), None, Exit::FAILURE);
        return ExitCode::from(exit.unwrap_or(Exit::FAILURE).0);
    }
    ExitCode::from(run(args, &mut streams).0)
}
