//! What the system refuses a process: it is no fault of a file, and no bug.

/// What there is no more of for this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Threads,
    Files,
    Memory,
}

impl Refusal {
    const ALL: [Self; 3] = [Self::Threads, Self::Files, Self::Memory];

    /// What a text says of the system: an error as it is shown, or as a panic has it; a reason as [`Self::as_str`] tells it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        // Numbers of errno.h: the words depend on the system's language.
        let says = |number: u32| {
            text.contains(&format!("(os error {number})")) || text.contains(&format!("Os {{ code: {number},"))
        };
        let numbers = |refusal: Self| -> &[u32] {
            match refusal {
                Self::Threads => &[11],
                Self::Files => &[23, 24],
                Self::Memory => &[12],
            }
        };
        let is = |refusal: &Self| text == refusal.as_str() || numbers(*refusal).iter().any(|number| says(*number));
        Self::ALL.into_iter().find(is)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Threads => "the system starts no more threads for this process",
            Self::Files => "the system opens no more files for this process",
            Self::Memory => "the system gives this process no more memory",
        }
    }

    /// What to do next.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            // A thread's stack is memory as well.
            Self::Threads => {
                "allow more processes (ulimit -u, or the container's limit of pids) and memory (ulimit -v), or take fewer \
                 with --threads and POLARS_MAX_THREADS"
            }
            Self::Files => "allow more, as in: ulimit -n 65536",
            Self::Memory => "allow more, as in: ulimit -v unlimited",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_known_from_errors_and_panics_and_damage_is_none() {
        let of = |number| std::io::Error::from_raw_os_error(number);
        for (number, refusal) in
            [(11, Refusal::Threads), (24, Refusal::Files), (23, Refusal::Files), (12, Refusal::Memory)]
        {
            assert_eq!(Refusal::of(&of(number).to_string()), Some(refusal));
            assert_eq!(Refusal::of(&format!("failed to spawn thread: {:?}", of(number))), Some(refusal));
            assert_eq!(Refusal::of(refusal.as_str()), Some(refusal));
        }
        for text in
            ["the decoder gave up on a damaged page", "index 11 out of range", &of(2).to_string(), &of(1).to_string()]
        {
            assert_eq!(Refusal::of(text), None, "{text}");
        }
    }
}
