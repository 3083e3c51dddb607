//! Progress on a terminal: one bar a stage. Elsewhere nothing is drawn.

use indicatif::{ProgressBar, ProgressStyle};

/// The bar of the running stage.
#[derive(Clone)]
pub(super) struct Bars(Option<ProgressBar>);

impl Bars {
    /// Bars when `terminal`, silence otherwise.
    pub(super) fn new(terminal: bool) -> Self {
        Self(terminal.then(ProgressBar::no_length))
    }

    /// Clears the last bar.
    pub(super) fn done(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }

    /// Writes beside the bar.
    pub(super) fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// A stage begins.
    pub(super) fn stage(&self, name: &'static str, rows: Option<u64>) {
        let Some(bar) = &self.0 else { return };
        let template = match rows {
            Some(_) => "{msg:<14} [{bar:30}] {human_pos}/{human_len} rows {elapsed}",
            None => "{msg:<14} {spinner} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.reset();
        bar.set_message(name);
        match rows {
            Some(rows) => bar.set_length(rows),
            None => bar.unset_length(),
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
    }

    /// Rows of the stage done so far.
    pub(super) fn rows(&self, done: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(done);
        }
    }
}
