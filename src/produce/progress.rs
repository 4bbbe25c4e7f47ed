//! How far it is, for whoever watches.
//!
//! Idea: on a terminal one line that is drawn over, five times a second, with a bar where the end is known; elsewhere a
//! plain line every five seconds, so that a log stays readable. Both go to standard error: standard output has the result
//! only.
//! Invariant: warnings stand above the line and are never drawn over.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressStyle};

use super::tally::Tally;
use crate::say::say;

const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);
/// After how long without an acknowledgement the line says why.
const STUCK: Duration = Duration::from_secs(3);

/// The line that shows how far it is.
pub struct Progress {
    line: Line,
    every: Duration,
    begun: Instant,
    shown: Instant,
    shown_posts: u64,
    /// When the number of delivered posts last changed.
    moved: Instant,
    /// What else there is to say.
    note: String,
    /// How far it is and where the end is, in bytes.
    reached: Option<(u64, u64)>,
}

enum Line {
    Drawn(ProgressBar),
    Plain,
    Silent,
}

impl Progress {
    /// A line on standard error.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let line = if terminal {
            let bar = ProgressBar::new_spinner();
            bar.set_style(ProgressStyle::default_spinner());
            Line::Drawn(bar)
        } else {
            Line::Plain
        };
        Self::with(line, if terminal { ON_TERMINAL } else { ELSEWHERE })
    }

    /// None at all; warnings go to the log.
    pub fn silent() -> Self {
        Self::with(Line::Silent, ELSEWHERE)
    }

    fn with(line: Line, every: Duration) -> Self {
        let now = Instant::now();
        Self {
            line,
            every,
            begun: now,
            shown: now,
            shown_posts: 0,
            moved: now,
            note: String::new(),
            reached: None,
        }
    }

    /// The same line, with a bar that ends at so many bytes.
    pub fn to(mut self, end: u64) -> Self {
        self.reached = Some((0, end));
        if let Line::Drawn(bar) = &self.line {
            bar.set_length(end);
            // Both parts of the template are there.
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3}%  {msg}") {
                bar.set_style(style);
            }
        }
        self
    }

    /// Has it say something beside the counts, from the next time on.
    pub fn note(&mut self, text: String) {
        self.note = text;
    }

    /// How many bytes of the end have been reached.
    pub fn reached(&mut self, done: u64) {
        if let Some((reached, end)) = &mut self.reached {
            *reached = done.min(*end);
        }
    }

    /// Whether it is time to show something.
    pub fn due(&self) -> bool {
        !matches!(self.line, Line::Silent) && self.shown.elapsed() >= self.every
    }

    /// Shows what was delivered and how much waits; `why` is asked for when nothing has moved for a while.
    pub fn show(&mut self, tally: &Tally, waiting: i32, why: impl FnOnce() -> String) {
        let now = Instant::now();
        let posts = tally.posts - self.shown_posts;
        let rate = posts as f64 / now.duration_since(self.shown).as_secs_f64().max(0.001);
        if posts > 0 || waiting == 0 {
            self.moved = now;
        }
        let stuck = now.duration_since(self.moved) >= STUCK;
        let mut text = describe(tally, rate, waiting, stuck.then(why).as_deref());
        if !self.note.is_empty() {
            text.push_str("; ");
            text.push_str(&self.note);
        }
        match (&self.line, self.reached) {
            (Line::Drawn(bar), reached) => {
                bar.set_message(text);
                bar.set_position(reached.map_or(0, |(done, _)| done));
                bar.tick();
            }
            (Line::Plain, Some((done, end))) if end > 0 => {
                say(format_args!("{:.0} %, {text}", 100.0 * done as f64 / end as f64));
            }
            (Line::Plain, _) => say(text),
            (Line::Silent, _) => {}
        }
        (self.shown, self.shown_posts) = (now, tally.posts);
    }

    /// Prints a line.
    pub fn say(&self, text: &str) {
        match &self.line {
            Line::Drawn(bar) => bar.println(text),
            Line::Plain => say(text),
            Line::Silent => tracing::info!("{text}"),
        }
    }

    /// Prints a warning.
    pub fn warn(&self, text: &str) {
        match &self.line {
            Line::Drawn(bar) => bar.println(format!("warning: {text}")),
            Line::Plain => say(format_args!("warning: {text}")),
            Line::Silent => tracing::warn!("{text}"),
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if let Line::Drawn(bar) = &self.line {
            bar.finish_and_clear();
        }
    }

    /// When it began.
    pub fn begun(&self) -> Instant {
        self.begun
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

fn describe(tally: &Tally, rate: f64, waiting: i32, stuck: Option<&str>) -> String {
    let mut text = format!(
        "{} posts, {} posts/s, {}, {} errors, {waiting} waiting",
        HumanCount(tally.posts),
        HumanCount(rate as u64),
        DecimalBytes(tally.bytes),
        tally.failed
    );
    if let Some(why) = stuck {
        text.push_str("; no answer from Kafka, trying again: ");
        text.push_str(why);
    }
    text
}

/// The one line at the end: what was delivered, how fast, and the offsets behind it.
pub fn summary(tally: &Tally, took: Duration, topic: &str) -> String {
    let seconds = took.as_secs_f64();
    let failed = if tally.failed > 0 { format!("{} not delivered, ", tally.failed) } else { String::new() };
    format!(
        "{} posts, {failed}{} bytes, {seconds:.1} s, {:.0} posts/s, next offsets {}",
        tally.posts,
        tally.bytes,
        tally.posts as f64 / seconds.max(0.001),
        if tally.posts == 0 { "unchanged".to_owned() } else { tally.next_offsets(topic) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_all_that_the_help_promises() {
        let mut tally = Tally::default();
        tally.delivered(0, 9, 300);
        tally.delivered(1, 4, 300);
        let line = summary(&tally, Duration::from_millis(500), "posts");
        assert_eq!(line, "2 posts, 600 bytes, 0.5 s, 4 posts/s, next offsets posts:0:10,posts:1:5");
        assert!(
            summary(&Tally::default(), Duration::ZERO, "posts")
                .starts_with("0 posts, 0 bytes, 0.0 s, 0 posts/s")
        );
    }

    #[test]
    fn a_line_says_why_it_stands_still() {
        let line = describe(&Tally::default(), 0.0, 7, Some("connection refused"));
        assert!(line.contains("7 waiting; no answer from Kafka, trying again: connection refused"), "{line}");
    }
}
