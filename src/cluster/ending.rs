//! How a supervised process has ended, and what that means for all of them.
//!
//! Idea: one process begins it, and the others only follow: by their exit codes one can tell which. Whoever reads the log
//! is told of that one.
//! Invariant: what is refused would be refused again, so it is not tried again; a good end is the end of all.

use std::fmt;
use std::process::ExitStatus;

/// What becomes of all when a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// All end, with this exit code.
    End(u8),
    /// All start anew.
    Anew,
}

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself; the exit code.
    Code(u8),
    /// By a signal that somebody else sent.
    Signal,
    /// By this process, since it did not stop when it was asked to.
    Killed,
}

impl End {
    /// That of a child that was not killed here.
    pub(super) fn of(status: ExitStatus) -> End {
        status.code().and_then(|code| u8::try_from(code).ok()).map_or(End::Signal, End::Code)
    }

    /// The exit code that stands for it.
    pub(super) fn code(self) -> u8 {
        match self {
            End::Code(code) => code,
            End::Signal | End::Killed => 70,
        }
    }

    /// The sooner, the likelier it is that this end is the reason for the others: a process that has lost another tells of
    /// itself only that it goes too.
    pub(super) fn rank(self) -> u8 {
        match self {
            End::Code(2 | 65 | 78) => 0,
            End::Code(70) => 1,
            End::Signal => 2,
            End::Code(75) => 4,
            End::Code(0) => 5,
            End::Code(_) => 3,
            End::Killed => 6,
        }
    }

    /// What becomes of all.
    pub(super) fn next(self) -> Next {
        match self {
            // It was stopped in good order, and all others with it.
            End::Code(0) => Next::End(0),
            // The configuration or the data are refused, and would be again.
            End::Code(code @ (2 | 65 | 78)) => Next::End(code),
            _ => Next::Anew,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Code(70) => f.write_str("exit code 70, a bug, of which its own lines above tell"),
            End::Code(code) => write!(f, "exit code {code}"),
            End::Signal => f.write_str("a signal"),
            End::Killed => f.write_str("no answer to being asked to stop"),
        }
    }
}

/// Which of all children began it, and how it ended. `first` is how one ended that was seen first: where that is a good end,
/// what came after it is none of its doing.
pub(super) fn cause(first: End, ends: &[End]) -> (usize, End) {
    let good = ends.iter().position(|end| *end == End::Code(0)).filter(|_| first == End::Code(0));
    let began = good.or_else(|| (0..ends.len()).min_by_key(|at| ends[*at].rank()));
    began.map_or((0, first), |at| (at, ends[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (end, becomes) in [
            (End::Code(0), Next::End(0)),
            (End::Code(65), Next::End(65)),
            (End::Code(78), Next::End(78)),
            (End::Code(2), Next::End(2)),
            (End::Code(70), Next::Anew),
            (End::Code(74), Next::Anew),
            (End::Code(75), Next::Anew),
            (End::Signal, Next::Anew),
            (End::Killed, Next::Anew),
        ] {
            assert_eq!(end.next(), becomes, "{end:?}");
        }
    }

    #[test]
    fn whoever_began_it_is_named() {
        let (lost, bug) = (End::Code(75), End::Code(70));
        for (first, ends, began) in [
            (lost, vec![lost, bug, lost], 1),
            (lost, vec![lost, lost, End::Signal], 2),
            (bug, vec![End::Killed, lost, bug], 2),
            (lost, vec![bug, End::Code(78)], 1),
            (lost, vec![lost, lost], 0),
            // One was stopped; that another then misses it is no reason to start anew.
            (End::Code(0), vec![lost, End::Code(0)], 1),
        ] {
            assert_eq!(cause(first, &ends), (began, ends[began]), "{ends:?}");
        }
        assert!(bug.to_string().contains("a bug"), "{bug}");
    }
}
