//! Posts with a word that no other has, and when each was seen.
//!
//! Idea: a probe is to be sent at a moment fixed beforehand; whether the producer, the broker or the engine is late then, the
//! latency counts from then on, so that nothing is left out because something was slow.
//! Invariant: of each moment of a probe only the first counts.

use std::sync::Mutex;
use std::time::Instant;

/// What happens to a probe. What passes before it is stored is the sender's and the broker's.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// It is to be sent.
    Meant,
    /// The broker said that it has it.
    Stored,
    /// Asked for over HTTP, again and again.
    Asked,
    /// In the stream of events.
    Told,
}

/// One probe.
#[derive(Clone, Copy, Debug)]
struct Probe {
    /// Partition and offset, once the broker has it.
    place: Option<(i32, i64)>,
    seen: [Option<Instant>; 4],
}

/// All probes of a run, by number.
#[derive(Default)]
pub struct Probes(Mutex<Vec<Probe>>);

impl Probes {
    /// Adds a probe that is to be sent at this moment, and says its number.
    pub fn add(&self, intended: Instant) -> usize {
        let mut probes = self.0.lock().expect("no holder panics");
        probes.push(Probe { place: None, seen: [Some(intended), None, None, None] });
        probes.len() - 1
    }

    /// Takes note of where the broker put it.
    pub fn placed(&self, number: usize, partition: i32, offset: i64, at: Instant) {
        let probe = &mut self.0.lock().expect("no holder panics")[number];
        probe.place = Some((partition, offset));
        probe.seen[Moment::Stored as usize] = Some(at);
    }

    /// Those that have been sent and not come to this moment.
    pub fn unseen(&self, moment: Moment) -> Vec<usize> {
        let probes = self.0.lock().expect("no holder panics");
        (0..probes.len()).filter(|number| probes[*number].seen[moment as usize].is_none()).collect()
    }

    /// Takes note that a probe was seen.
    pub fn seen(&self, number: usize, moment: Moment, at: Instant) {
        self.0.lock().expect("no holder panics")[number].seen[moment as usize].get_or_insert(at);
    }

    /// Takes note that all before these next offsets were seen.
    pub fn seen_before(&self, next: impl Fn(i32) -> Option<i64>, moment: Moment, at: Instant) {
        for probe in self.0.lock().expect("no holder panics").iter_mut() {
            if let Some((partition, offset)) = probe.place
                && next(partition).is_some_and(|next| offset < next)
            {
                probe.seen[moment as usize].get_or_insert(at);
            }
        }
    }

    /// Milliseconds between the two for each probe that was to be sent from `since` on, ascending, 0 where the second was seen
    /// first; fails where one was not seen.
    pub fn latencies(&self, from: Moment, to: Moment, since: Instant) -> Result<Vec<f64>, String> {
        let probes = self.0.lock().expect("no holder panics");
        let late = |probe: &Probe| {
            let [from, to] = [from, to].map(|moment| probe.seen[moment as usize].ok_or(moment));
            Ok::<_, Moment>(to?.saturating_duration_since(from?).as_secs_f64() * 1000.0)
        };
        let counted = probes.iter().filter(|probe| probe.seen[Moment::Meant as usize] >= Some(since));
        let mut all: Vec<f64> = counted
            .map(late)
            .collect::<Result<_, _>>()
            .map_err(|moment| format!("a probe was never {moment:?}"))?;
        if all.is_empty() {
            return Err("no probe was sent".to_owned());
        }
        all.sort_unstable_by(f64::total_cmp);
        Ok(all)
    }
}

/// The word of a probe: letters only, so that it is one word.
pub fn word(number: usize) -> String {
    let digits = number.to_string();
    let letters = digits.bytes().map(|digit| char::from(digit - b'0' + b'a'));
    std::iter::once('z').chain("qx".chars()).chain(letters).collect()
}
