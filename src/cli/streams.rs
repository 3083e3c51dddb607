//! Where a command writes: results to one stream, everything else to the other, as text for people or as lines of JSON with
//! stable event codes. What was told is kept for the summary file.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::{
    Exit, config,
    masks::Masks,
    panics,
    place::{self, Kind},
};
use crate::{
    pipeline::{RunError, StageTime},
    publish::beside::{can_replace, replace},
    read::Refusal,
    schema::{checks::Check, period::format_day, settings::Settings},
};

/// How everything but results is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line, with `time`, `level` and `event`.
    Json,
}

/// What an event weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Everything but results. What is written to it as text becomes, in JSON, an event a line. That nobody reads it, or that it
/// cannot be written, changes nothing of what a command does and how it ends: no write fails.
pub struct Talk<'a> {
    stream: &'a mut dyn Write,
    format: LogFormat,
    /// In JSON: the text of a line that has not ended.
    line: Vec<u8>,
}

impl<'a> Talk<'a> {
    /// Talk as text.
    pub fn new(stream: &'a mut dyn Write) -> Self {
        Self { stream, format: LogFormat::Text, line: Vec::new() }
    }

    /// What `write!` calls, so that who writes needs no trait in scope.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        Write::write_fmt(self, text)
    }

    /// Whether events are written as such.
    pub(super) fn is_json(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// An event as a line of JSON; as text nothing, because its line for people stands by itself.
    pub(super) fn event(&mut self, level: Level, event: &'static str, fields: &Value) {
        if !self.is_json() {
            return;
        }
        let mut line = json!({"time": timestamp(now()), "level": level.as_str(), "event": event});
        if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
            line.extend(fields.clone());
        }
        let _ = writeln!(self.stream, "{line}");
    }

    /// Text without control characters, nor those that turn the direction of writing: a name from a file or a config must not steer
    /// a terminal.
    fn write_plain(&mut self, text: &[u8]) -> io::Result<()> {
        if let Ok(text) = std::str::from_utf8(text)
            && text.contains(turns)
        {
            for part in text.split_inclusive(turns) {
                let before = part.trim_end_matches(turns);
                self.write_plain(before.as_bytes())?;
                for turn in part[before.len()..].chars() {
                    write!(self.stream, "{}", turn.escape_unicode())?;
                }
            }
            return Ok(());
        }
        let steers = |byte: &u8| byte.is_ascii_control() && *byte != b'\n' && *byte != b'\t';
        for part in text.split_inclusive(steers) {
            match part.split_last() {
                Some((last, before)) if steers(last) => {
                    self.stream.write_all(before)?;
                    write!(self.stream, "\\x{last:02x}")?;
                }
                _ => self.stream.write_all(part)?,
            }
        }
        Ok(())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        match text.trim() {
            "" => {}
            text => match text.strip_prefix("note: ") {
                Some(note) => self.event(Level::Warn, "note", &json!({"message": note})),
                None => self.event(Level::Info, "message", &json!({"message": text})),
            },
        }
    }
}

/// Whether a character is a control character beyond ASCII, or turns the direction of writing.
fn turns(c: char) -> bool {
    !c.is_ascii() && c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Write for Talk<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if !self.is_json() {
            let _ = self.write_plain(text);
            return Ok(text.len());
        }
        for byte in text {
            if *byte == b'\n' {
                self.end_line();
            } else {
                self.line.push(*byte);
            }
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.stream.flush();
        Ok(())
    }
}

/// What a command told, for the summary file.
#[derive(Debug, Default)]
struct Told {
    command: String,
    result: Option<Value>,
    errors: Vec<Value>,
    stages: Vec<StageTime>,
    checks: Vec<Check>,
}

/// Where a command writes, whether anyone watches, and what bounds it.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub talk: Talk<'a>,
    /// Whether `talk` is a terminal, where progress can be drawn.
    pub terminal: bool,
    /// Bytes of resident memory beyond which a run ends.
    pub(super) memory: Option<u64>,
    /// How often a running stage is told of where nobody draws it.
    pub(super) heartbeat: Duration,
    summary: Option<Utf8PathBuf>,
    /// The config and its text.
    config: Option<(Utf8PathBuf, String)>,
    masks: Masks,
    told: Told,
}

impl<'a> Streams<'a> {
    /// Streams of a command, with talk as text.
    pub fn new(out: &'a mut dyn Write, talk: &'a mut dyn Write, terminal: bool) -> Self {
        let (memory, heartbeat) = (None, Duration::from_secs(30));
        let (summary, config, masks, told) = (None, None, Masks::default(), Told::default());
        Self { out, talk: Talk::new(talk), terminal, memory, heartbeat, summary, config, masks, told }
    }

    /// What the command line says of them.
    pub(super) fn set(&mut self, command: &str, format: LogFormat, summary: Option<Utf8PathBuf>) {
        // A line of JSON is for a program, which draws nothing.
        self.terminal &= format == LogFormat::Text;
        self.talk.format = format;
        self.summary = summary;
        command.clone_into(&mut self.told.command);
    }

    /// Hides what a variable of the environment holds, from here on.
    pub(super) fn mask(&mut self, name: &str, value: &str) {
        self.masks.add(name, value);
    }

    /// A text without what variables of the environment hold.
    pub(super) fn masked(&self, text: &str) -> String {
        self.masks.hide(text).into_owned()
    }

    /// Tells an error and the one thing to do next. What the system refused this process is told as that: an exit of failure where a
    /// thread panicked over it, and no damage or bug.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn fail(&mut self, what: &str, hint: Option<&str>, exit: Exit) -> io::Result<Exit> {
        let refused = panics::refused().filter(|_| exit == Exit::FAILURE || exit == Exit::BUG);
        let (what, exit) = refused.map_or((what, exit), |refusal| (refusal.as_str(), Exit::FAILURE));
        let hint = refused.or_else(|| Refusal::of(what)).map_or(hint, |refusal| Some(refusal.hint()));
        let what = &self.masked(what);
        let error = json!({"message": what, "hint": hint, "exit_code": exit.0});
        self.talk.event(Level::Error, "error", &error);
        if !self.talk.is_json() {
            writeln!(self.talk, "error: {what}")?;
            if let Some(hint) = hint {
                writeln!(self.talk, "  hint: {hint}")?;
            }
        }
        self.told.errors.push(error);
        Ok(exit)
    }

    /// Remembers the config that is read, for the places of what turns out to be wrong with it.
    pub(super) fn set_config(&mut self, path: &Utf8Path, text: &str) {
        self.config = Some((path.to_owned(), text.to_owned()));
    }

    /// Tells what stops a run: at its place in the config where a value there is wrong.
    pub(super) fn fail_run(&mut self, error: &RunError) -> io::Result<Exit> {
        let (what, hint, exit) = (error.to_string(), error.hint(), Exit(error.exit_code()));
        let keys = self.config.as_ref().zip(error.keys());
        match keys.and_then(|((path, text), keys)| config::place(path, text, &keys)) {
            Some(place) => self.refuse(&place, &what, hint, exit).map(|()| exit),
            None => self.fail(&what, hint, exit),
        }
    }

    /// Tells that something is wrong at a place of the config, as `file:line:column: what`.
    pub(super) fn refuse(&mut self, place: &str, what: &str, hint: Option<&str>, exit: Exit) -> io::Result<()> {
        let what = &self.masked(what);
        let error = json!({"message": what, "at": place, "hint": hint, "exit_code": exit.0});
        self.talk.event(Level::Error, "config_error", &error);
        if !self.talk.is_json() {
            writeln!(self.talk, "{place}: {what}")?;
            if let Some(hint) = hint {
                writeln!(self.talk, "  hint: {hint}")?;
            }
        }
        self.told.errors.push(error);
        Ok(())
    }

    /// The result of a command, one line of JSON.
    pub(super) fn result(&mut self, line: Value) -> io::Result<()> {
        let written = writeln!(self.out, "{line}");
        self.told.result = Some(line);
        written
    }

    /// What went wrong last.
    pub(super) fn last_error(&self) -> Option<&str> {
        self.told.errors.last()?["message"].as_str()
    }

    /// Keeps what a stage took.
    pub(super) fn keep(&mut self, time: StageTime) {
        self.told.stages.push(time);
    }

    /// Keeps what was checked.
    pub(super) fn keep_check(&mut self, check: Check) {
        self.told.checks.push(check);
    }

    /// Looks whether the summary file can be written, before anything is done; none is written otherwise.
    ///
    /// # Errors
    /// Its path and what the system says.
    pub(super) fn try_summary(&mut self) -> Result<(), String> {
        let Some(path) = self.summary.take() else { return Ok(()) };
        place::refuse(Kind::Summary, &path, None)?;
        can_replace(&path).map_err(|error| format!("{path}: {error}"))?;
        self.summary = Some(path);
        Ok(())
    }

    /// Whether the summary file is asked for at this very place.
    pub(super) fn summary_is_at(&self, path: &Utf8Path) -> bool {
        let absolute = |path: &Utf8Path| camino::absolute_utf8(path).ok();
        self.summary.as_ref().is_some_and(|summary| absolute(summary) == absolute(path))
    }

    /// Looks whether the summary file stands where the config's inputs and output are not; none is written otherwise.
    ///
    /// # Errors
    /// What is wrong with its place.
    pub(super) fn try_summary_beside(&mut self, settings: &Settings) -> Result<(), String> {
        let Some(path) = self.summary.take() else { return Ok(()) };
        place::refuse(Kind::Summary, &path, Some(settings))?;
        self.summary = Some(path);
        Ok(())
    }

    /// What an error of `out` means for a command whose work is done: nothing where its reader has seen enough (`| head`), or
    /// where a new output is `placed` already, which no exit code may deny; a failure otherwise.
    pub(super) fn unwritten(&mut self, error: &io::Error, placed: bool) -> io::Result<Exit> {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(Exit::SUCCESS);
        }
        if placed {
            writeln!(
                self.talk,
                "note: the new output is in its place; its result was not told: standard output: {error}"
            )?;
            return Ok(Exit::SUCCESS);
        }
        self.fail(&format!("standard output: {error}"), None, Exit::FAILURE)
    }

    /// The last event, and the summary file where one is asked for; one that cannot be written any more is a note, because the
    /// exit says how the work ended.
    ///
    /// # Errors
    /// None: what cannot be told changes no exit.
    pub(super) fn finish(&mut self, exit: Exit) -> io::Result<()> {
        if let Some(path) = self.summary.clone()
            && let Err(error) = self.write_summary(&path, exit)
        {
            writeln!(self.talk, "note: {path}: no summary was written: {error}")?;
        }
        let level = if exit == Exit::SUCCESS { Level::Info } else { Level::Error };
        let ended = json!({"command": self.told.command, "exit_code": exit.0, "status": exit.status()});
        self.talk.event(level, "finished", &ended);
        self.talk.flush()
    }

    /// Written beside its place and renamed: who waits for the file never reads half of it.
    fn write_summary(&self, path: &Utf8Path, exit: Exit) -> io::Result<()> {
        let told = &self.told;
        let summary = json!({
            "command": told.command,
            "version": env!("CARGO_PKG_VERSION"),
            "exit_code": exit.0,
            "status": exit.status(),
            "result": told.result,
            "errors": told.errors,
            "stages": told.stages,
            "checks": told.checks,
        });
        replace(path, &format!("{summary:#}\n"), 0o666)
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of an event, which no result depends on")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// A moment as `2026-03-01T12:00:00.000Z`.
pub(super) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let day = format_day((seconds / 86_400) as i32);
    let of_day = seconds % 86_400;
    format!("{day}T{:02}:{:02}:{:02}.{millis:03}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(951_827_696_789);
        assert_eq!(timestamp(moment), "2000-02-29T12:34:56.789Z");
    }

    #[test]
    fn a_name_neither_steers_a_terminal_nor_turns_its_writing() {
        let (mut out, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams::new(&mut out, &mut talk, true);
        streams.fail("a\u{1b}[31m \u{202e}lqs.\u{9b}x … é", None, Exit::USAGE).unwrap();
        assert_eq!(String::from_utf8(talk).unwrap(), "error: a\\x1b[31m \\u{202e}lqs.\\u{9b}x … é\n");
    }

    #[test]
    fn lines_of_text_become_events_and_an_empty_one_is_none() {
        let (mut out, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams::new(&mut out, &mut talk, true);
        streams.set("run", LogFormat::Json, None);
        write!(streams.talk, "one ").unwrap();
        writeln!(streams.talk, "line\n\nnote: mind this").unwrap();
        streams.fail("no file", Some("name one"), Exit::USAGE).unwrap();
        streams.finish(Exit::USAGE).unwrap();
        let lines: Vec<Value> =
            talk.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let told: Vec<(&str, &str)> = lines
            .iter()
            .map(|line| (line["event"].as_str().unwrap(), line["message"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(told, [("message", "one line"), ("note", "mind this"), ("error", "no file"), ("finished", "")]);
        assert_eq!(lines[2]["hint"], "name one");
        assert_eq!(lines[3]["exit_code"], 2);
    }

    /// A stream that fails as this error says.
    struct Gone(io::ErrorKind);

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn an_exit_is_what_the_work_says_whoever_reads_what_is_told() {
        for gone in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let (mut out, mut talk) = (Vec::new(), Gone(gone));
                let mut streams = Streams::new(&mut out, &mut talk, false);
                streams.set("run", format, None);
                writeln!(streams.talk, "a line").unwrap();
                streams.refuse("c.yaml:1:1", "wrong", Some("mend it"), Exit::USAGE).unwrap();
                assert_eq!(streams.fail("no file", Some("name one"), Exit::REFUSED).unwrap(), Exit::REFUSED);
                streams.finish(Exit::REFUSED).unwrap();
                assert_eq!(streams.told.errors.len(), 2);
            }
        }
    }

    #[test]
    fn a_reader_of_results_who_leaves_is_no_failure_and_a_full_disk_is_one() {
        for (gone, exit) in [(io::ErrorKind::BrokenPipe, Exit::SUCCESS), (io::ErrorKind::StorageFull, Exit::FAILURE)] {
            let (mut out, mut talk) = (Gone(gone), Vec::new());
            let mut streams = Streams::new(&mut out, &mut talk, false);
            let error = streams.result(json!({"output": "out"})).unwrap_err();
            assert_eq!(streams.unwritten(&error, false).unwrap(), exit);
            assert_eq!(streams.unwritten(&error, true).unwrap(), Exit::SUCCESS);
            // The summary file has the result all the same.
            assert!(streams.told.result.is_some());
        }
    }
}
