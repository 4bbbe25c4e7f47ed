//! The ranking as plain lines, for what is no terminal.
//!
//! Idea: a line about the ranking, then a line a place, with tabs between; so that `grep`, `awk` and people can read it.
//! Invariant: a place is one line, whatever its term holds. The reader that goes away ends the program without a word.
//! Cost: a write a ranking.

use std::io::{self, Write};
use std::time::Instant;

use tokio::sync::mpsc;

use super::client::ClientError;
use super::follow::News;
use super::state::{Ranking, Stamp, State};
use crate::cli::visible::visible;
use crate::say::say;

/// Why there are no more lines.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// They cannot be written.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// There never was a stream.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Prints a ranking per update, so many of them, or until nobody reads or `stop`.
///
/// # Errors
/// Where nothing can be written, or the first stream could not be opened.
pub async fn print(
    mut state: State,
    updates: Option<u64>,
    mut news: mpsc::Receiver<News>,
    stop: impl Future<Output = ()>,
) -> Result<(), PlainError> {
    let (mut stop, mut left) = (std::pin::pin!(stop), updates.unwrap_or(u64::MAX));
    while left > 0 {
        let came = tokio::select! {
            () = &mut stop => return Ok(()),
            came = news.recv() => came,
        };
        match came {
            None => return Ok(()),
            Some(News::Failed(error)) => return Err(error.into()),
            Some(News::Lost(why, wait)) => {
                say(format_args!("warning: connection lost, trying again in {wait:?}: {}", visible(&why)));
            }
            Some(came) => {
                if state.take(came, Instant::now())
                    && let Some((stamp, ranking)) = &state.shown
                {
                    let text = lines(&state.wish.count, stamp, ranking);
                    let mut out = io::stdout().lock();
                    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                        written => written.map_err(PlainError::Output)?,
                    }
                    left -= 1;
                }
            }
        }
    }
    Ok(())
}

fn lines(count: &str, stamp: &Stamp, ranking: &Ranking) -> String {
    let mut text = format!(
        "# {} {} {} total {} distinct {}\n",
        stamp.as_of.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        visible(count),
        visible(&stamp.window),
        ranking.total,
        ranking.distinct
    );
    for place in &ranking.top {
        text.push_str(&format!("{}\t{}\t{}\n", place.rank, place.count, visible(&place.display)));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::state::Place;
    use super::*;

    #[test]
    fn a_place_is_a_line() {
        let stamp = Stamp {
            window: "5m".to_owned(),
            as_of: "2026-01-01T00:00:00.25Z".parse().expect("a time"),
            clock: None,
            catching_up: false,
        };
        let (term, display) = ("a".to_owned(), "a\n\x1b[31m\tb".to_owned());
        let ranking =
            Ranking { total: 7, distinct: 1, top: vec![Place { rank: 1, term, display, count: 7 }] };
        assert_eq!(
            lines("tags", &stamp, &ranking),
            "# 2026-01-01T00:00:00.250Z tags 5m total 7 distinct 1\n1\t7\ta\\n\\u{1b}[31m\\tb\n\n"
        );
    }
}
