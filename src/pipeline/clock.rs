//! What a run tells while it goes on, how long its stages took and how much memory they needed.

use std::{sync::Arc, time::Instant};

use serde::Serialize;

use crate::schema::checks::Check;

/// What a run tells while it goes on.
pub trait Progress: Send + Sync {
    /// A stage begins; `rows` when its size is known.
    fn stage(&self, name: &'static str, rows: Option<u64>);
    /// Rows of the stage done so far.
    fn rows(&self, done: u64);
    /// A stage has ended.
    fn ended(&self, time: &StageTime);
    /// Something was checked.
    fn checked(&self, _check: &Check) {}
    /// Something that a reader of the results must know.
    fn noted(&self, _note: &str) {}
}

/// What a stage took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StageTime {
    /// Stage.
    pub stage: &'static str,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Rows of the stage, when it counts some.
    pub rows: Option<u64>,
    /// Largest resident memory of the process from its start to the end of the stage, MiB; `None` where the system does
    /// not tell.
    pub peak_memory_mib: Option<u64>,
}

/// Stage clock: starts the next stage, ends the one before.
pub struct Clock {
    progress: Arc<dyn Progress>,
    running: Option<(&'static str, Option<u64>, Instant)>,
    /// Finished stages.
    pub times: Vec<StageTime>,
    /// What was checked, and how it ended.
    pub checks: Vec<Check>,
}

impl Clock {
    /// No stage yet.
    #[must_use]
    pub fn new(progress: Arc<dyn Progress>) -> Self {
        Self { progress, running: None, times: Vec::new(), checks: Vec::new() }
    }

    /// Ends the running stage and starts `stage`.
    pub fn start(&mut self, stage: &'static str, rows: Option<u64>) {
        self.stop();
        self.progress.stage(stage, rows);
        self.running = Some((stage, rows, Instant::now()));
    }

    /// Ends the running stage.
    pub fn stop(&mut self) {
        if let Some((stage, rows, since)) = self.running.take() {
            let seconds = since.elapsed().as_secs_f64();
            let time = StageTime { stage, seconds, rows, peak_memory_mib: peak_memory_mib() };
            self.progress.ended(&time);
            self.times.push(time);
        }
    }

    /// Tells of a check and keeps it.
    pub fn record(&mut self, check: Check) {
        self.progress.checked(&check);
        self.checks.push(check);
    }

    /// Tells what a commit left to be known.
    pub fn note(&self, notes: &[String]) {
        for note in notes {
            self.progress.noted(note);
        }
    }

    /// Who is told of the rows.
    #[must_use]
    pub fn progress(&self) -> &Arc<dyn Progress> {
        &self.progress
    }
}

/// Largest resident memory of this process so far, in MiB.
fn peak_memory_mib() -> Option<u64> {
    Some(told_bytes("/proc/self/status", "VmHWM:")? >> 20)
}

/// Bytes that a line of the system's says, as in `VmHWM:  1024 kB`; `None` where there is none.
#[must_use]
pub fn told_bytes(file: &str, line: &str) -> Option<u64> {
    let told = std::fs::read_to_string(file).ok()?;
    let line = told.lines().find(|other| other.starts_with(line))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}
