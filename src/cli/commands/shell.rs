//! `whalecurve completions` and `whalecurve man`: for shells and for `man`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{self, Exit, streams::Streams};

/// Which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell.
    shell: Shell,
}

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub struct ManArgs {}

/// Prints a completion script.
///
/// # Errors
/// When the streams cannot be written.
pub fn completions(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    // The generator would panic where nobody reads any more.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::Args::command(), "whalecurve", &mut script);
    streams.out.write_all(&script)?;
    Ok(Exit::SUCCESS)
}

/// Prints the manual page, every command in it.
///
/// # Errors
/// When the streams cannot be written.
pub fn man(_: &ManArgs, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let command = cli::Args::command();
    clap_mangen::Man::new(command.clone()).render(&mut streams.out)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let named = sub.clone().display_name(format!("whalecurve {}", sub.get_name()));
        let man = clap_mangen::Man::new(named);
        man.render_name_section(&mut streams.out)?;
        man.render_synopsis_section(&mut streams.out)?;
        man.render_options_section(&mut streams.out)?;
    }
    Ok(Exit::SUCCESS)
}
