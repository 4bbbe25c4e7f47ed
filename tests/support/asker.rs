//! Whoever asks, all the time, everything.
//!
//! Idea: questions are drawn at random, about terms that earlier answers have shown and about terms that nobody ever wrote;
//! the answers are kept for the oracle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidings::config::Config;

use super::client::Client;
use super::random::Random;
use crate::oracle::answers::{Answer, Answered, Asked, Offsets, Question};

/// Terms that are asked for beside those that were seen.
const STRANGE: [&str; 10] =
    ["rust", "#RUST", "never seen", "#", "e\u{301}", "a\0b", "a", "👍🏽", "%41", "../../status"];

/// Draws questions.
pub struct Asker<'a> {
    client: Client,
    config: &'a Config,
    random: Random,
    seen: Vec<String>,
}

impl<'a> Asker<'a> {
    pub fn new(client: Client, config: &'a Config, seed: u64) -> Asker<'a> {
        Asker { client, config, random: Random::new(seed), seen: Vec::new() }
    }

    /// Waits until there is something to be asked; the engine may still be catching up.
    pub fn ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.client.get("/v1/status").status != 200 {
            assert!(Instant::now() < deadline, "nothing has been counted for 30 s");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks until told to stop, with a short rest after each answer.
    pub fn ask_until(&mut self, stop: &AtomicBool, rest: Duration) -> Vec<Answered> {
        let mut answers = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            answers.push(self.ask(&Offsets::new()));
            std::thread::sleep(rest);
        }
        answers
    }

    /// Asks one question.
    pub fn ask(&mut self, min_offsets: &Offsets) -> Answered {
        let asked = self.question(min_offsets);
        let answered = self.client.ask(asked, Duration::from_secs(30));
        self.learn(&answered.answer);
        answered
    }

    /// The same where there may be nobody to answer, or nothing to answer with.
    pub fn try_ask(&mut self) -> Option<Answered> {
        let asked = self.question(&Offsets::new());
        let answered = self.client.try_ask(asked, Duration::ZERO).ok()?;
        self.learn(&answered.answer);
        Some(answered)
    }

    /// Asks where the engine stands.
    pub fn ask_status(&self) -> Answered {
        let (count, window, min_offsets) = (String::new(), String::new(), Offsets::new());
        self.client.ask(Asked { count, window, question: Question::Status, min_offsets }, Duration::ZERO)
    }

    /// Asks everything that can be asked, with these offsets as the bound: all terms of all windows among it.
    pub fn ask_everything(&mut self, min_offsets: &Offsets) -> Vec<Answered> {
        let mut answers = Vec::new();
        let status = Asked {
            count: String::new(),
            window: String::new(),
            question: Question::Status,
            min_offsets: min_offsets.clone(),
        };
        let mut ask = |asked| {
            let answered = self.client.ask(asked, Duration::from_secs(30));
            answers.push(answered);
            answers.last().unwrap().answer.clone()
        };
        ask(status.clone());
        for count in &self.config.counts {
            for window in &count.windows {
                let of = |question| Asked {
                    count: count.name.clone(),
                    window: window.name.clone(),
                    question,
                    min_offsets: min_offsets.clone(),
                };
                let Answer::Top(top) = ask(of(Question::Top { k: 1000 })) else { panic!("another answer") };
                let mut after = None;
                while let Answer::Page(page) =
                    ask(of(Question::Page { prefix: String::new(), after, limit: 1000 }))
                {
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                let terms: Vec<String> = top.top.iter().map(|place| place.term.clone()).collect();
                for term in terms.iter().take(3).filter(|_| window.span.is_some()) {
                    ask(of(Question::Series { term: term.clone() }));
                }
                ask(of(Question::Lookup { terms }));
            }
        }
        ask(status);
        answers
    }

    fn question(&mut self, min_offsets: &Offsets) -> Asked {
        let random = &mut self.random;
        let count = random.pick(&self.config.counts);
        let window = random.pick(&count.windows);
        let mut term = || {
            let seen = !self.seen.is_empty() && !random.one_in(4);
            // A lone sign is no term, and is refused.
            let strange = STRANGE.into_iter().filter(|term| *term != "#").collect::<Vec<_>>();
            if seen { random.pick(&self.seen) } else { random.pick(&strange).to_owned() }
        };
        let (one, terms) = (term(), (0..5).map(|_| term()).collect());
        let prefix: String = one.chars().take(random.below(3) as usize).collect();
        let question = match random.below(12) {
            0..4 => Question::Top { k: random.between(1, 50) as usize },
            4 => Question::Top { k: 1000 },
            5..7 => Question::Term { term: one },
            7 => Question::Lookup { terms },
            8 if window.span.is_some() => Question::Series { term: one },
            8..10 => Question::Page { prefix, after: None, limit: random.between(1, 30) as usize },
            10 => {
                let after = self.seen.get(random.below(self.seen.len().max(1) as u64) as usize).cloned();
                Question::Page { prefix: String::new(), after, limit: random.between(1, 1000) as usize }
            }
            _ => Question::Status,
        };
        let of_a_count = question != Question::Status;
        Asked {
            count: if of_a_count { count.name.clone() } else { String::new() },
            window: if of_a_count { window.name.clone() } else { String::new() },
            question,
            min_offsets: min_offsets.clone(),
        }
    }

    fn learn(&mut self, answer: &Answer) {
        let terms: Vec<&String> = match answer {
            Answer::Top(top) => top.top.iter().map(|place| &place.term).collect(),
            Answer::Page(page) => page.terms.iter().map(|counted| &counted.term).collect(),
            _ => return,
        };
        self.seen.extend(terms.into_iter().take(20).cloned());
        let surplus = self.seen.len().saturating_sub(400);
        self.seen.drain(..surplus);
    }
}
