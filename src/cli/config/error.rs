//! Everything that is wrong with a config, collected and told at once, in the order of the file.

use std::fmt;

use camino::Utf8PathBuf;

/// A place in the config: 1-based line and column, columns counted in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl Position {
    /// The beginning of the file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub at: Position,
    /// What is wrong.
    pub what: String,
    /// The one thing to do about it, where there is one.
    pub hint: Option<String>,
}

/// A config that cannot be run, with all its problems, sorted by position.
///
/// Displays as one line a problem, `file:line:column: what`, and `  hint: …` below it where there is one thing to do.
/// Neither values of environment variables nor literals that look like secrets appear in it.
#[derive(Debug)]
pub struct ConfigErrors {
    file: Utf8PathBuf,
    problems: Vec<Problem>,
}

impl ConfigErrors {
    /// The problems, in the order of the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Where a problem stands: `file:line:column`.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> String {
        format!("{}:{}:{}", self.file, problem.at.line, problem.at.column)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let Problem { what, hint, .. } = problem;
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {what}", self.place(problem))?;
            if let Some(hint) = hint {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The collector that every reader of the config reports to.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// Note what is wrong at a place.
    pub(super) fn add(&mut self, at: Position, what: impl Into<String>) {
        self.list.push(Problem { at, what: what.into(), hint: None });
    }

    /// Note what is wrong at a place, and what to do about it.
    pub(super) fn add_with_hint(&mut self, at: Position, what: impl Into<String>, hint: impl Into<String>) {
        self.list.push(Problem { at, what: what.into(), hint: Some(hint.into()) });
    }

    /// Whether nothing was noted so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How much was noted so far.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Take over what another collector noted.
    pub(super) fn append(&mut self, mut other: Self) {
        self.list.append(&mut other.list);
    }

    /// Everything noted, sorted by position and each problem once (an alias is read in several places).
    pub(super) fn into_errors(mut self, file: Utf8PathBuf) -> ConfigErrors {
        self.list.sort_by_key(|problem| problem.at);
        self.list.dedup();
        ConfigErrors { file, problems: self.list }
    }
}
