//! A source is followed: connected, read, and connected again, until the user asks to stop.
//!
//! Idea: a source knows one thing, to read one connection until it breaks; this knows all else. Where there are several
//! addresses the next is tried at once, and the waiting begins when all of them have failed in turn.
//! Invariant: every loss of a connection is told with its reason and with what comes next. A stop is seen within fifty
//! milliseconds, whatever is being waited for.

use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::broken::Broken;
use super::inbox::{Event, Inbox};
use crate::produce::stop::Stop;

/// How long a connection must have stood to be no trouble.
const STOOD: Duration = Duration::from_secs(5);
/// How often it is asked whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Something that posts come from.
pub trait Source {
    /// How many addresses it has; at least one.
    fn addresses(&self) -> usize;

    /// The address with this number, for people.
    fn shown(&self, address: usize) -> String;

    /// Connects and puts what comes into the inbox, until the connection breaks; says [`Event::Connected`] once it stands.
    fn session(&mut self, address: usize, inbox: &Inbox) -> impl Future<Output = Broken>;
}

/// Follows a source until the flag is raised or there is no point in going on, which the inbox is told.
pub async fn follow(source: &mut impl Source, inbox: &Inbox, stop: &Stop) {
    let mut course = Course::new(source.addresses());
    loop {
        let (address, begun) = (course.address, Instant::now());
        let broken = tokio::select! {
            broken = source.session(address, inbox) => broken,
            () = asked(stop) => return,
        };
        let broken = broken.map(|text| format!("{}: {text}", source.shown(address)));
        let Some(wait) = course.after(&broken, begun.elapsed()) else {
            return inbox.tell(Event::Failed(broken));
        };
        let next = match course.address == address {
            true => "again".to_owned(),
            false => format!("{} is next", source.shown(course.address)),
        };
        inbox.tell(Event::Waiting(match wait.as_millis() {
            0 => format!("{}; {next} at once", broken.text()),
            millis => format!("{}; {next} in {} s", broken.text(), millis as f64 / 1000.0),
        }));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = asked(stop) => return,
        }
    }
}

async fn asked(stop: &Stop) {
    while !stop.asked() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Which address is next, and when. It knows no clock.
struct Course {
    addresses: usize,
    address: usize,
    /// Connections in a row that did not stand.
    failed: usize,
    /// Addresses in a row that refused for good.
    refused: usize,
    backoff: Backoff,
}

impl Course {
    fn new(addresses: usize) -> Self {
        Self { addresses, address: 0, failed: 0, refused: 0, backoff: Backoff::default() }
    }

    /// How long to wait once a connection broke that had been there for so long; `None`: there is no point.
    fn after(&mut self, broken: &Broken, lasted: Duration) -> Option<Duration> {
        let ended = matches!(broken, Broken::Ended(_));
        if ended && lasted >= STOOD {
            self.backoff.stood();
            self.failed = 0;
        }
        self.failed += 1;
        let refused = matches!(broken, Broken::Refused(_));
        self.refused = if refused { self.refused + 1 } else { 0 };
        if self.refused >= self.addresses {
            return None;
        }
        // An end is no failure of the address: its server may just have been started anew.
        if self.addresses > 1 && !(ended && self.failed == 1) {
            self.address = (self.address + 1) % self.addresses;
            if !self.failed.is_multiple_of(self.addresses) {
                return Some(Duration::ZERO);
            }
        }
        match refused {
            // Another address may come back that does not refuse.
            true => self.backoff.wait(&Broken::Server(String::new())),
            false => self.backoff.wait(broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::produce::live::inbox::inbox;

    const BRIEF: Duration = Duration::from_millis(10);

    fn network() -> Broken {
        Broken::Network(String::new())
    }

    fn course(addresses: usize, script: &[(Broken, Duration)]) -> Vec<(usize, Option<u128>)> {
        let mut course = Course::new(addresses);
        let after = |(broken, lasted): &(Broken, Duration)| {
            let wait = course.after(broken, *lasted);
            (course.address, wait.map(|wait| wait.as_millis()))
        };
        script.iter().map(after).collect()
    }

    #[test]
    fn one_address_is_tried_again_with_growing_waits() {
        let ended = || Broken::Ended(String::new());
        let script = [
            (ended(), STOOD),
            (network(), BRIEF),
            (network(), BRIEF),
            (ended(), BRIEF),
            (ended(), STOOD),
            (network(), BRIEF),
            (Broken::Refused(String::new()), BRIEF),
        ];
        let waits = [Some(0), Some(250), Some(500), Some(250), Some(0), Some(250), None];
        assert_eq!(course(1, &script), waits.map(|wait| (0, wait)));
    }

    #[test]
    fn the_next_address_is_tried_at_once_until_all_have_failed() {
        let server = || (Broken::Server(String::new()), BRIEF);
        let script =
            [server(), server(), server(), (network(), BRIEF), (Broken::Ended(String::new()), STOOD)];
        assert_eq!(
            course(2, &script),
            [(1, Some(0)), (0, Some(5_000)), (1, Some(0)), (0, Some(250)), (0, Some(0))]
        );
    }

    #[test]
    fn one_address_that_refuses_ends_nothing_where_there_are_others() {
        let refused = || (Broken::Refused(String::new()), BRIEF);
        let script = [refused(), (network(), BRIEF), refused(), refused()];
        assert_eq!(course(2, &script), [(1, Some(0)), (0, Some(250)), (1, Some(0)), (1, None)]);
    }

    /// Never gets an answer.
    struct Silent;

    impl Source for Silent {
        fn addresses(&self) -> usize {
            1
        }

        fn shown(&self, _: usize) -> String {
            "silent".to_owned()
        }

        async fn session(&mut self, _: usize, _: &Inbox) -> Broken {
            std::future::pending().await
        }
    }

    #[test]
    fn a_stop_ends_it_whatever_is_awaited() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let stop = Stop::new();
        runtime.block_on(async {
            let (inbox, mut silent) = (inbox().0, Silent);
            let followed = follow(&mut silent, &inbox, &stop);
            let stopped = async {
                tokio::time::sleep(BRIEF).await;
                stop.raise();
            };
            tokio::time::timeout(STOOD, async { tokio::join!(followed, stopped) }).await.expect("an end");
        });
    }
}
