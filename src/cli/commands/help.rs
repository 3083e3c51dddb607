//! `whalecurve help`: a command, or what a word of the field means.

use clap::CommandFactory;

use crate::{
    cli::{Args as Whole, Exit, streams::Streams, topics::TOPICS},
    contract::meant::closest,
};

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A command, such as run, or a topic, such as whale-curve; all of them without one.
    topic: Option<String>,
}

/// Explains a command or topic to `out`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let mut whole = Whole::command();
    whole.build();
    let Some(asked) = &args.topic else {
        write!(streams.out, "{}\n{}", whole.render_help(), list())?;
        return Ok(Exit::SUCCESS);
    };
    let wanted = plain(asked);
    if let Some(topic) = TOPICS.iter().find(|topic| plain(topic.name) == wanted) {
        write!(streams.out, "{}", topic.plain())?;
        return Ok(Exit::SUCCESS);
    }
    if let Some(command) = whole.find_subcommand_mut(asked) {
        write!(streams.out, "{}", command.render_long_help())?;
        return Ok(Exit::SUCCESS);
    }
    let commands = whole.get_subcommands().map(clap::Command::get_name);
    let known: Vec<&str> = TOPICS.iter().map(|topic| topic.name).chain(commands).collect();
    let hint = match closest(asked, &known) {
        Some(name) => format!("did you mean `whalecurve help {name}`?"),
        None => "`whalecurve help` lists all of them".to_owned(),
    };
    streams.fail("there is no command or topic of this name", Some(&hint), Exit::USAGE)
}

/// A word without what people write in different ways.
fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn list() -> String {
    let widest = TOPICS.iter().map(|topic| topic.name.len()).max().unwrap_or(0);
    let line = |name: &str, title: &str| {
        // What the title says after its own name.
        let what = title.split_once(": ").map_or(title, |(_, what)| what);
        format!("  {name:<widest$}  {what}\n")
    };
    let topics: String = TOPICS.iter().map(|topic| line(topic.name, topic.title)).collect();
    format!("Topics, with `whalecurve help TOPIC`:\n{topics}")
}
