//! What is shown: a ranking, how it has moved, and whether it is fresh.
//!
//! Idea: all that the screen and the plain lines need, apart from both, so that it can be tested without either.
//! Invariant: a term's movement is that against the ranking of some [`SPAN`] ago of the same count and window.
//! Cost: a small map a second.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;

use super::follow::{News, Wish};

/// Against which past ranking movement is shown.
const SPAN: Duration = Duration::from_secs(10);

/// How often a ranking is kept for that.
const STEP: Duration = Duration::from_secs(1);

/// A count that the engine has.
#[derive(Clone, Debug, Deserialize)]
pub struct Count {
    /// Its name.
    pub name: String,
    /// Its windows.
    pub windows: Vec<Window>,
}

/// A window of a count.
#[derive(Clone, Debug, Deserialize)]
pub struct Window {
    /// Its name.
    pub name: String,
}

/// What is needed of an answer's stamp.
#[derive(Clone, Debug, Deserialize)]
pub struct Stamp {
    /// The window's own name.
    pub window: String,
    /// When the epoch closed.
    pub as_of: Timestamp,
    /// Where windows end.
    pub clock: Option<Timestamp>,
    /// Whether there is old data to be read still.
    pub catching_up: bool,
}

/// A ranking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Ranking {
    /// Occurrences in the window.
    pub total: i64,
    /// Terms with a count.
    pub distinct: u64,
    /// The first places.
    pub top: Vec<Place>,
}

/// A place of a ranking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// From 1.
    pub rank: usize,
    /// The key.
    pub term: String,
    /// As it is shown.
    pub display: String,
    /// How often.
    pub count: i64,
}

/// How a term has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// It was not in the ranking.
    New,
    /// It is as many places higher, or lower where negative.
    By(isize),
}

/// Why nothing comes at the moment.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Why.
    pub why: String,
    /// When the next attempt is made.
    pub again: Instant,
}

/// What is shown.
pub struct State {
    /// All counts of the engine.
    pub counts: Vec<Count>,
    /// What is wanted now.
    pub wish: Wish,
    /// The newest ranking and its stamp.
    pub shown: Option<(Stamp, Ranking)>,
    /// Set while the connection is lost.
    pub lost: Option<Lost>,
    past: VecDeque<(Instant, HashMap<String, usize>)>,
}

impl State {
    /// Nothing has come yet.
    pub fn new(counts: Vec<Count>, wish: Wish) -> State {
        State { counts, wish, shown: None, lost: None, past: VecDeque::new() }
    }

    /// Takes what came; returns whether there is another ranking. What was asked for before the last change of the wish
    /// is passed over.
    pub fn take(&mut self, news: News, now: Instant) -> bool {
        match news {
            News::Update(wish, stamp, ranking) if wish == self.wish => {
                self.lost = None;
                let is_new = ranking.is_some();
                // What has come is newer than nothing only where it is a ranking.
                let Some(ranking) = ranking.or_else(|| self.shown.take().map(|(_, ranking)| ranking)) else {
                    return false;
                };
                if self.past.back().is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
                    let ranks = ranking.top.iter().map(|place| (place.term.clone(), place.rank)).collect();
                    self.past.push_back((now, ranks));
                    while self.past.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= SPAN) {
                        self.past.pop_front();
                    }
                }
                self.shown = Some((stamp, ranking));
                is_new
            }
            News::Lost(why, wait) => {
                self.lost = Some(Lost { why, again: now + wait });
                false
            }
            News::Update(..) | News::Failed(_) => false,
        }
    }

    /// How a place has moved.
    pub fn movement(&self, place: &Place) -> Movement {
        let Some((_, past)) = self.past.front() else { return Movement::By(0) };
        let was = past.get(&place.term);
        was.map_or(Movement::New, |was| Movement::By(*was as isize - place.rank as isize))
    }

    /// Wants another count: so many further in the list, round its end.
    pub fn other_count(&mut self, step: isize) {
        let names: Vec<_> = self.counts.iter().map(|count| count.name.clone()).collect();
        let Some(count) = stepped(&names, &self.wish.count, step) else { return };
        let windows =
            self.counts.iter().find(|other| other.name == *count).map_or(&[][..], |count| &count.windows);
        let here = self.window().to_owned();
        // The same window where there is one, else the first.
        let window = windows.iter().find(|window| window.name == here).or(windows.first());
        let window = window.map(|window| window.name.clone());
        self.want(Wish { count: count.clone(), window, k: self.wish.k });
    }

    /// Wants another window: so many further in the list, round its end.
    pub fn other_window(&mut self, step: isize) {
        let count = self.counts.iter().find(|count| count.name == self.wish.count);
        let names: Vec<_> =
            count.into_iter().flat_map(|count| &count.windows).map(|window| window.name.clone()).collect();
        let Some(window) = stepped(&names, self.window(), step) else { return };
        self.want(Wish { window: Some(window.clone()), ..self.wish.clone() });
    }

    /// The name of the window that is shown.
    pub fn window(&self) -> &str {
        let shown = self.shown.as_ref().map(|(stamp, _)| stamp.window.as_str());
        let first = || {
            let count = self.counts.iter().find(|count| count.name == self.wish.count)?;
            count.windows.first().map(|window| window.name.as_str())
        };
        shown.or(self.wish.window.as_deref()).or_else(first).unwrap_or("")
    }

    fn want(&mut self, wish: Wish) {
        if wish != self.wish {
            (self.wish, self.shown, self.past) = (wish, None, VecDeque::new());
        }
    }
}

fn stepped<'a>(names: &'a [String], from: &str, step: isize) -> Option<&'a String> {
    let at = names.iter().position(|name| name == from).unwrap_or(0) as isize;
    let length = isize::try_from(names.len()).ok().filter(|length| *length > 0)?;
    names.get((at + step).rem_euclid(length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let count = |name: &str, windows: &[&str]| Count {
            name: name.to_owned(),
            windows: windows.iter().map(|name| Window { name: (*name).to_owned() }).collect(),
        };
        let counts = vec![count("hashtags", &["1m", "5m", "all"]), count("words", &["5m", "1h"])];
        State::new(counts, Wish { count: "hashtags".to_owned(), window: None, k: 10 })
    }

    fn update(state: &State, terms: &[&str]) -> News {
        let place = |(index, term): (usize, &&str)| Place {
            rank: index + 1,
            term: (*term).to_owned(),
            display: (*term).to_owned(),
            count: 10 - index as i64,
        };
        let top = terms.iter().enumerate().map(place).collect();
        let stamp = Stamp {
            window: state.window().to_owned(),
            as_of: Timestamp::UNIX_EPOCH,
            clock: None,
            catching_up: false,
        };
        News::Update(state.wish.clone(), stamp, Some(Ranking { total: 10, distinct: 2, top }))
    }

    #[test]
    fn movement_is_against_a_while_ago() {
        let (mut state, begun) = (state(), Instant::now());
        let later = |seconds| begun + Duration::from_secs(seconds);
        let moved = |state: &State| -> Vec<Movement> {
            let (_, ranking) = state.shown.as_ref().expect("shown");
            ranking.top.iter().map(|place| state.movement(place)).collect()
        };
        assert!(state.take(update(&state, &["a", "b"]), begun));
        assert_eq!(moved(&state), [Movement::By(0), Movement::By(0)]);
        assert!(state.take(update(&state, &["b", "c", "a"]), later(5)));
        assert_eq!(moved(&state), [Movement::By(1), Movement::New, Movement::By(-2)]);
        for second in 6..30 {
            state.take(update(&state, &["b", "c", "a"]), later(second));
        }
        assert_eq!(moved(&state), [Movement::By(0); 3]);
        assert!(state.past.len() <= 12, "{}", state.past.len());
    }

    /// Where nothing is shown, that all is as it was says nothing.
    #[test]
    fn progress_alone_is_no_ranking() {
        let mut state = state();
        let News::Update(wish, stamp, ranking) = update(&state, &["a"]) else { panic!("an update") };
        assert!(!state.take(News::Update(wish.clone(), stamp.clone(), None), Instant::now()));
        assert!(state.shown.is_none());
        assert!(state.take(News::Update(wish.clone(), stamp.clone(), ranking), Instant::now()));
        assert!(!state.take(News::Update(wish, stamp, None), Instant::now()));
        assert_eq!(state.shown.as_ref().map(|(_, ranking)| ranking.top.len()), Some(1));
    }

    #[test]
    fn counts_and_windows_go_round() {
        let mut state = state();
        state.other_window(1);
        assert_eq!((state.wish.window.as_deref(), state.window()), (Some("5m"), "5m"));
        state.other_count(1);
        assert_eq!((state.wish.count.as_str(), state.window()), ("words", "5m"));
        state.other_window(1);
        state.other_count(1);
        assert_eq!((state.wish.count.as_str(), state.window()), ("hashtags", "1m"));
        state.other_window(-1);
        assert_eq!(state.window(), "all");
    }

    #[test]
    fn what_is_not_wanted_any_more_is_passed_over() {
        let mut state = state();
        let old = update(&state, &["a"]);
        state.other_window(1);
        assert!(!state.take(old, Instant::now()) && state.shown.is_none());
        state.take(News::Lost("gone".to_owned(), Duration::from_secs(1)), Instant::now());
        assert!(state.lost.is_some());
        assert!(state.take(update(&state, &["a"]), Instant::now()) && state.lost.is_none());
    }
}
