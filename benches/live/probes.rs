//! Posts with a word that no other has, and when each was seen.
//!
//! Idea: a probe is to be sent at a moment fixed beforehand; whether the producer, the broker or the engine is late then, the
//! latency counts from that moment, so that nothing is left out because something was slow.
//! Invariant: a probe is seen at most once by each way of asking.

use std::sync::Mutex;
use std::time::Instant;

/// How a probe can be seen. What passed before it was stored is the sender's and the broker's.
#[derive(Clone, Copy, Debug)]
pub enum Way {
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
    intended: Instant,
    /// Partition and offset, once the broker has it.
    place: Option<(i32, i64)>,
    seen: [Option<Instant>; 3],
}

/// All probes of a run, by number.
#[derive(Default)]
pub struct Probes(Mutex<Vec<Probe>>);

impl Probes {
    /// Adds a probe that is to be sent at this moment, and says its number.
    pub fn add(&self, intended: Instant) -> usize {
        let mut probes = self.0.lock().expect("no holder panics");
        probes.push(Probe { intended, place: None, seen: [None; 3] });
        probes.len() - 1
    }

    /// Takes note of where the broker put it.
    pub fn placed(&self, number: usize, partition: i32, offset: i64, at: Instant) {
        let probe = &mut self.0.lock().expect("no holder panics")[number];
        probe.place = Some((partition, offset));
        probe.seen[Way::Stored as usize] = Some(at);
    }

    /// Those that have been sent and not been seen in this way.
    pub fn unseen(&self, way: Way) -> Vec<usize> {
        let probes = self.0.lock().expect("no holder panics");
        (0..probes.len()).filter(|number| probes[*number].seen[way as usize].is_none()).collect()
    }

    /// Takes note that a probe was seen.
    pub fn seen(&self, number: usize, way: Way, at: Instant) {
        self.0.lock().expect("no holder panics")[number].seen[way as usize].get_or_insert(at);
    }

    /// Takes note that all before these next offsets were seen.
    pub fn seen_before(&self, next: impl Fn(i32) -> Option<i64>, way: Way, at: Instant) {
        for probe in self.0.lock().expect("no holder panics").iter_mut() {
            if let Some((partition, offset)) = probe.place
                && next(partition).is_some_and(|next| offset < next)
            {
                probe.seen[way as usize].get_or_insert(at);
            }
        }
    }

    /// Milliseconds from the intended moment of each probe that was to be sent from `since` on, ascending; fails where one
    /// was not seen.
    pub fn latencies(&self, way: Way, since: Instant) -> Result<Vec<f64>, String> {
        let probes = self.0.lock().expect("no holder panics");
        let late = |probe: &Probe| {
            let seen = probe.seen[way as usize]?;
            Some(seen.duration_since(probe.intended).as_secs_f64() * 1000.0)
        };
        let counted = probes.iter().filter(|probe| probe.intended >= since);
        let mut all: Vec<f64> =
            counted.map(late).collect::<Option<_>>().ok_or_else(|| format!("a probe was never {way:?}"))?;
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
