//! Following a run: its stages as they end, a heartbeat where nobody draws a bar, and the memory it may use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use signal_hook::low_level::exit;

use super::{
    Exit, Streams, lineage,
    memory::{mebibytes, resident},
    progress::Bars,
    streams::Level,
};
use crate::{
    numeric::decimal::format_grouped,
    pipeline::{Progress, RunError, StageTime},
    publish::folder,
    schema::checks::{Check, CheckOutcome},
    store::spool,
};

/// How often memory is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether the stages of a command are told as they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stages {
    Told,
    Silent,
}

/// What the threads of a run tell the one that follows it.
enum Event {
    Began { stage: &'static str, rows: Option<u64> },
    Ended(StageTime),
    Checked(Check),
    Noted(String),
    Over,
}

/// Passes on what a run tells of itself.
struct Follower {
    bars: Bars,
    events: Sender<Event>,
    done: Arc<AtomicU64>,
}

impl Follower {
    fn send(&self, event: Event) {
        // Nobody follows any more: the run is at its end.
        let _ = self.events.send(event);
    }
}

impl Progress for Follower {
    fn stage(&self, stage: &'static str, rows: Option<u64>) {
        self.bars.stage(stage, rows);
        self.done.store(0, Ordering::Relaxed);
        self.send(Event::Began { stage, rows });
    }

    fn rows(&self, done: u64) {
        self.bars.rows(done);
        self.done.store(done, Ordering::Relaxed);
    }

    fn ended(&self, time: &StageTime) {
        self.send(Event::Ended(*time));
    }

    fn checked(&self, check: &Check) {
        self.send(Event::Checked(check.clone()));
    }

    fn noted(&self, note: &str) {
        self.send(Event::Noted(note.to_owned()));
    }
}

/// Tells that a run is over, also when it panicked.
struct AtEnd(Sender<Event>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Over);
    }
}

/// Does the work of a command in a pool of so many threads (all cores when absent) and follows it; the exit after a failure
/// is told. A run that needs more memory than it may use ends the process: there is no other way to stop its threads.
pub(super) fn work<T: Send>(
    threads: Option<usize>,
    stages: Stages,
    streams: &mut Streams<'_>,
    work: impl FnOnce(Arc<dyn Progress>) -> Result<T, RunError> + Send,
) -> std::io::Result<Result<T, Exit>> {
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build() {
        Ok(pool) => pool,
        Err(error) => return streams.fail(&format!("no threads: {error}"), None, Exit::FAILURE).map(Err),
    };
    let (sender, events) = mpsc::channel();
    let (bars, done) = (Bars::new(streams.terminal), Arc::new(AtomicU64::new(0)));
    let follower = Arc::new(Follower { bars: bars.clone(), events: sender.clone(), done: Arc::clone(&done) });
    let end = AtEnd(sender);
    let (followed, worked) = std::thread::scope(|scope| {
        let job = scope.spawn(move || {
            let _end = end;
            pool.install(|| work(follower))
        });
        let followed = follow(&events, &bars, (stages, &done), streams);
        (followed, job.join())
    });
    bars.done();
    followed?;
    match worked {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(error)) => streams.fail_run(&error).map(Err),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn follow(
    events: &Receiver<Event>,
    bars: &Bars,
    (stages, done): (Stages, &AtomicU64),
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    let mut running: Option<(&'static str, Option<u64>, Instant)> = None;
    let mut told = Instant::now();
    loop {
        match events.recv_timeout(GLANCE.min(streams.heartbeat)) {
            Ok(Event::Began { stage, rows }) => {
                running = Some((stage, rows, Instant::now()));
                streams.talk.event(Level::Info, "stage_started", &json!({"stage": stage, "rows": rows}));
            }
            Ok(Event::Ended(time)) => {
                told = Instant::now();
                bars.beside(|| tell(&time, stages, streams))?;
            }
            Ok(Event::Checked(check)) => bars.beside(|| tell_check(check, streams))?,
            Ok(Event::Noted(note)) => {
                let note = streams.masked(&note);
                bars.beside(|| writeln!(streams.talk, "note: {note}"))?;
            }
            Ok(Event::Over) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let stage = running.map_or("the beginning", |(stage, ..)| stage);
        if let Some(limit) = streams.memory
            && let Some(used) = resident()
            && used > limit
        {
            bars.done();
            stop(stage, (used, limit), streams)?;
        }
        if let Some((stage, rows, since)) = running
            && !streams.terminal
            && stages == Stages::Told
            && told.elapsed() >= streams.heartbeat
        {
            told = Instant::now();
            heartbeat((stage, done.load(Ordering::Relaxed), rows), since.elapsed(), streams)?;
        }
    }
}

/// A line a stage: seconds, rows, rows a second, largest memory so far.
fn tell(time: &StageTime, stages: Stages, streams: &mut Streams<'_>) -> std::io::Result<()> {
    streams.keep(*time);
    let StageTime { stage, seconds, rows, peak_memory_mib } = *time;
    let per_second = rows.filter(|_| seconds > 0.0).map(|rows| (rows as f64 / seconds).round() as u64);
    let event = json!({
        "stage": stage,
        "seconds": seconds,
        "rows": rows,
        "rows_per_second": per_second,
        "peak_memory_mib": peak_memory_mib,
    });
    streams.talk.event(Level::Info, "stage_ended", &event);
    if stages == Stages::Silent || streams.talk.is_json() {
        return Ok(());
    }
    write!(streams.talk, "{stage:<14} {seconds:>8.3} s")?;
    if let Some(peak) = peak_memory_mib {
        write!(streams.talk, " {peak:>7} MiB")?;
    }
    if let (Some(rows), Some(per_second)) = (rows, per_second) {
        write!(streams.talk, " {:>15} rows {:>13}/s", grouped(rows), grouped(per_second))?;
    }
    writeln!(streams.talk)
}

/// A check that warns has a line for people; what stops a run is told as its error.
fn tell_check(mut check: Check, streams: &mut Streams<'_>) -> std::io::Result<()> {
    check.message = check.message.map(|message| streams.masked(&message));
    let level = match check.outcome {
        CheckOutcome::Pass | CheckOutcome::Skipped => Level::Info,
        CheckOutcome::Warn => Level::Warn,
        CheckOutcome::Fail => Level::Error,
    };
    streams.talk.event(level, "check", &json!(check));
    if let (CheckOutcome::Warn, Some(message), false) = (check.outcome, &check.message, streams.talk.is_json()) {
        writeln!(streams.talk, "warning: {message}")?;
    }
    streams.keep_check(check);
    Ok(())
}

fn heartbeat(
    (stage, done, rows): (&'static str, u64, Option<u64>),
    since: Duration,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    let (seconds, memory) = (since.as_secs_f64(), resident().map(mebibytes));
    let event = json!({"stage": stage, "seconds": seconds, "rows_done": done, "rows": rows, "memory_mib": memory});
    streams.talk.event(Level::Info, "heartbeat", &event);
    if streams.talk.is_json() {
        return Ok(());
    }
    write!(streams.talk, "… {stage}: {seconds:.0} s")?;
    if let Some(rows) = rows {
        write!(streams.talk, ", {} of {} rows", grouped(done), grouped(rows))?;
    }
    if let Some(memory) = memory {
        write!(streams.talk, ", {memory} MiB")?;
    }
    writeln!(streams.talk)
}

/// Ends the process: nothing is committed, nothing stays beside the output. A run whose output is in its place is let alone: it is at
/// its end.
fn stop(stage: &str, (used, limit): (u64, u64), streams: &mut Streams<'_>) -> std::io::Result<()> {
    if !folder::abandon() {
        return Ok(());
    }
    spool::abandon();
    let what = format!(
        "the run uses {} MiB of memory in stage `{stage}`, and may use {} MiB; nothing was committed",
        mebibytes(used),
        mebibytes(limit)
    );
    let hint = "allow more with --memory, write fewer datasets with `outputs`, or take a longer `period`";
    lineage::cut_off(&what);
    let failed = streams.fail(&what, Some(hint), Exit::FAILURE)?;
    streams.finish(failed)?;
    // No destructors: other threads are at work still.
    exit(i32::from(failed.0));
}

fn grouped(count: u64) -> String {
    format_grouped(i128::from(count), 0)
}
