//! Compares one answer with the recount of its own records.
//!
//! Invariant: everything that an answer says is compared, but for versions and lags, which say nothing about records.

use tidings::config::{Clock, Span};

use super::Oracle;
use super::answers::{Answer, Answered, Counted, Question, Stamp, Status};
use super::recount::Recount;
use super::rules::{Fate, When};

/// By how much an epoch may be later than the wall clock that was read for it: clocks have milliseconds, and epochs closed
/// within one of them are numbered on.
const NUMBERED_ON_MS: i64 = 50;

impl Oracle {
    /// Compares all answers, each with a recount of the records between its offsets; on all processors, as after an hour of
    /// chaos there is a great deal to recount.
    pub fn check_all(&self, answers: &[Answered]) {
        let threads = std::thread::available_parallelism().map_or(1, |number| number.get());
        std::thread::scope(|scope| {
            for first in 0..threads {
                scope.spawn(move || {
                    answers.iter().skip(first).step_by(threads).for_each(|answered| self.check(answered));
                });
            }
        });
    }

    /// Compares one answer.
    pub fn check(&self, answered: &Answered) {
        let Answered { asked, answer, .. } = answered;
        let stamp = answer.stamp();
        self.check_stamp(stamp);
        for (topic, partitions) in &asked.min_offsets {
            for (partition, next) in partitions {
                assert!(stamp.offsets[topic][partition] >= *next, "bound not met: {asked:?}, {stamp:?}");
            }
        }
        if let Answer::Status(status) = answer {
            return self.check_status(status);
        }
        assert_eq!(stamp.count.as_ref(), Some(&asked.count));
        assert_eq!(stamp.window.as_ref(), Some(&asked.window));
        assert!(!stamp.overflow, "nothing was refused in this test: {stamp:?}");
        let recount = self.recount(stamp);
        check_span(stamp, recount.span);
        let of = || format!("{asked:?} of {stamp:?}");
        match (answer, &asked.question) {
            (Answer::Top(top), Question::Top { k }) => {
                assert_eq!(top.total, recount.totals.values().sum::<i64>(), "total, {}", of());
                assert_eq!(top.distinct, recount.totals.len(), "distinct, {}", of());
                let answered: Vec<_> =
                    top.top.iter().map(|place| (place.term.as_str(), place.count)).collect();
                assert_eq!(answered, recount.top(*k), "{}", of());
                for (index, place) in top.top.iter().enumerate() {
                    assert_eq!(place.rank, index + 1, "{}", of());
                    assert_eq!(
                        place.display,
                        recount.display(&place.term),
                        "display of {:?}, {}",
                        place.term,
                        of()
                    );
                }
            }
            (Answer::Term(term), Question::Term { term: asked }) => {
                let counted =
                    Counted { term: term.term.clone(), display: term.display.clone(), count: term.count };
                assert_eq!(counted, counted_again(&recount, asked), "{}", of());
            }
            (Answer::Lookup(lookup), Question::Lookup { terms }) => {
                let counted: Vec<_> = terms.iter().map(|term| counted_again(&recount, term)).collect();
                assert_eq!(lookup.terms, counted, "{}", of());
            }
            (Answer::Page(page), Question::Page { prefix, after, limit }) => {
                let (expected, more) = recount.page(&recount.prefix(prefix), after.as_deref(), *limit);
                let answered: Vec<_> =
                    page.terms.iter().map(|term| (term.term.as_str(), term.count)).collect();
                assert_eq!(answered, expected, "{}", of());
                let next = expected.last().filter(|_| more).map(|(term, _)| *term);
                assert_eq!(page.next.as_deref(), next, "next, {}", of());
                for term in &page.terms {
                    assert_eq!(
                        term.display,
                        recount.display(&term.term),
                        "display of {:?}, {}",
                        term.term,
                        of()
                    );
                }
            }
            (Answer::Series(series), Question::Series { term }) => {
                assert_eq!(series.term, recount.key(term), "{}", of());
                let answered: Vec<_> = series.panes.iter().map(|pane| (pane.from.0, pane.count)).collect();
                match stamp.from.zip(stamp.to) {
                    Some((from, to)) => {
                        assert_eq!(answered, recount.series(&series.term, from.0, to.0), "{}", of())
                    }
                    None => assert!(answered.is_empty(), "{}", of()),
                }
            }
            _ => panic!("another answer than was asked for: {}", of()),
        }
    }

    /// What a stamp says follows from the records before its offsets and from its clock.
    fn check_stamp(&self, stamp: &Stamp) {
        assert_eq!(stamp.as_of.0, stamp.epoch as i64, "{stamp:?}");
        assert!(stamp.gaps.is_empty(), "nothing was lost in this test: {stamp:?}");
        for (topic, partitions) in &stamp.offsets {
            for (partition, next) in partitions {
                let start = stamp.start_offsets[topic][partition];
                let known =
                    self.fates.get(&(topic.clone(), *partition)).and_then(|fates| fates.last_key_value());
                let end = known.map_or(start, |(offset, _)| offset + 1);
                assert!(
                    start <= *next && *next <= end.max(start),
                    "offsets that were never written: {end}, {stamp:?}"
                );
            }
        }
        let newest = self.newest(stamp, |_| true);
        match self.rules.config.engine.clock {
            Clock::Event => assert_eq!(stamp.clock.map(|time| time.0), newest, "{stamp:?}"),
            Clock::Wall => {
                let epoch = stamp.epoch as i64;
                let least = newest.map(|newest| newest.min(epoch - NUMBERED_ON_MS));
                assert!(
                    stamp.clock.map(|clock| clock.0) >= least,
                    "the clock is behind {least:?}: {stamp:?}"
                );
                assert!(stamp.clock.is_none_or(|clock| clock.0 <= epoch), "the clock is ahead: {stamp:?}");
                // While there is a backlog, only posts move the clock; but it stays where it stood before a restart.
                let restarts = self.rules.config.checkpoint.dir.is_some();
                assert!(
                    restarts || !stamp.catching_up || stamp.clock.map(|clock| clock.0) <= newest,
                    "the clock is trusted: {stamp:?}"
                );
            }
        }
    }

    /// The newest event time of the records of a stamp, in the partitions asked for.
    fn newest(&self, stamp: &Stamp, of: impl Fn((&str, i32)) -> bool) -> Option<i64> {
        let fates =
            self.between(&stamp.start_offsets, &stamp.offsets).filter(|record| of((record.0, record.1)));
        let times = fates.filter_map(|(.., fate)| match fate {
            Fate::Post(When::At(time), _) => Some(*time),
            _ => None,
        });
        times.max()
    }

    fn check_status(&self, status: &Status) {
        let stamp = &status.stamp;
        let (mut posts, mut ahead, mut undated) = (0, 0, 0);
        let (mut bad, mut other) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
        for (.., fate) in self.between(&stamp.start_offsets, &stamp.offsets) {
            match fate {
                Fate::Bad(reason) => *bad.entry((*reason).to_owned()).or_default() += 1,
                Fate::Other(kind) => *other.entry((*kind).to_owned()).or_default() += 1,
                Fate::Post(when, _) => {
                    posts += 1;
                    ahead += u64::from(*when == When::Ahead);
                    undated += u64::from(*when == When::Undated);
                }
            }
        }
        assert_eq!((status.posts, status.ahead, status.undated), (posts, ahead, undated), "{status:?}");
        assert_eq!((&status.bad, &status.other), (&bad, &other), "{status:?}");
        assert_eq!((stamp.count.as_ref(), stamp.window.as_ref()), (None, None));
        let config = &self.rules.config;
        let (processes, workers) = (config.cluster.hosts.len().max(1), config.engine.workers);
        assert_eq!((status.processes, status.workers), (processes, processes * workers));
        let numbers = status.members.iter().map(|member| (member.process, member.workers));
        assert!(numbers.eq((0..processes).map(|process| (process, workers))), "{status:?}");
        // Whoever answers is the only one that cannot be silent, and nobody is behind what is answered.
        assert_eq!(status.members.iter().filter(|member| member.silent_ms.is_none()).count(), 1);
        assert!(status.members.iter().all(|member| member.epoch >= Some(stamp.epoch)), "{status:?}");
        assert_eq!(status.ready, status.reasons.is_empty(), "{status:?}");
        assert_eq!(status.checkpoint.is_some(), self.rules.config.checkpoint.dir.is_some(), "{status:?}");
        assert_eq!(
            status.partitions.len(),
            stamp.offsets.values().map(|partitions| partitions.len()).sum::<usize>()
        );
        for progress in &status.partitions {
            let place = (progress.topic.as_str(), progress.partition);
            assert_eq!(progress.offset, stamp.offsets[place.0][&place.1], "{status:?}");
            assert_eq!(
                progress.newest.map(|time| time.0),
                self.newest(stamp, |known| known == place),
                "{status:?}"
            );
            let lag = progress.end_offset.map(|end| (end - progress.offset).max(0));
            assert_eq!(progress.lag, lag, "{status:?}");
        }
    }
}

/// From and to follow from clock, size and slide: the last pane holds the clock.
fn check_span(stamp: &Stamp, span: Option<Span>) {
    let expected = span.zip(stamp.clock).map(|(Span { size_ms, slide_ms }, clock)| {
        let to = (clock.0 / slide_ms as i64 + 1) * slide_ms as i64;
        ((to - size_ms as i64).max(0), to)
    });
    assert_eq!(stamp.from.zip(stamp.to).map(|(from, to)| (from.0, to.0)), expected, "{stamp:?}");
    assert_eq!(stamp.from.is_some(), stamp.to.is_some(), "{stamp:?}");
}

fn counted_again(recount: &Recount<'_>, asked: &str) -> Counted {
    let term = recount.key(asked);
    Counted { display: recount.display(&term), count: recount.total(&term), term }
}
