//! Two processes over a real connection, and one that meets something else at the other end.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::frame::{Ask, Frame};
use super::{Hooks, Peers, Reply, Unanswered};
use crate::cluster::Heard;

/// What happened at one end.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Told(Vec<u8>),
    Lost(String),
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let here = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
    (here, listener.accept().expect("a connection").0)
}

/// Process `me` of two, which answers a question with its bytes in reverse; `slow` takes its time, `bug` panics, and `no`
/// makes no sense.
fn process(me: usize, stream: TcpStream) -> (Arc<Peers>, mpsc::Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let sender = Mutex::new(sender);
    let send = Arc::new(move |event| drop(sender.lock().expect("no panic").send(event)));
    let told = Arc::clone(&send);
    let answer = |question: &[u8]| match question {
        b"bug" => panic!("a bug that a test wants"),
        b"no" => None,
        b"slow" => {
            std::thread::sleep(Duration::from_secs(2));
            Some(b"at last".to_vec())
        }
        _ => Some(question.iter().rev().copied().collect()),
    };
    let hooks = Hooks {
        told: Box::new(move |_, bytes| {
            told(Event::Told(bytes.to_vec()));
            bytes != b"nonsense"
        }),
        answer: Arc::new(answer),
        state: Box::new(move || me as u8 + 1),
        lost: Box::new(move |_, why| send(Event::Lost(why.to_owned()))),
    };
    let mut streams = vec![None, None];
    streams[1 - me] = Some(stream);
    let peers = Peers::start(streams, Arc::new(Heard::new(me, 2)), hooks).expect("threads");
    (Arc::new(peers), events)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn ask(runtime: &Runtime, peers: &Arc<Peers>, question: &[u8], within: Duration) -> Reply {
    let peers = Arc::clone(peers);
    runtime.block_on(async move { peers.ask(1, false, question.to_vec(), within).await })
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn questions_are_answered_many_at_once_in_both_directions() {
    let (here, there) = pair();
    let ((one, heard_one), (two, heard_two)) = (process(0, here), process(1, there));
    let runtime = runtime();
    runtime.block_on(async {
        let slow = one.ask(1, true, b"slow".to_vec(), PATIENCE);
        let asking = (0..500u32).map(|n| {
            let (peers, process) = if n % 2 == 0 { (&one, 1) } else { (&two, 0) };
            let reply = peers.ask(process, n % 3 == 0, n.to_be_bytes().to_vec(), PATIENCE);
            async move { assert_eq!(reply.await, Ok(n.to_le_bytes().to_vec())) }
        });
        futures_util::future::join_all(asking).await;
        assert_eq!(slow.await, Ok(b"at last".to_vec()));
    });
    assert_eq!(ask(&runtime, &one, b"bug", PATIENCE), Err(Unanswered::Failed));
    assert_eq!(ask(&runtime, &one, b"no", PATIENCE), Err(Unanswered::Failed));
    assert_eq!(ask(&runtime, &one, b"slow", Duration::from_millis(20)), Err(Unanswered::Silent));
    (0..9u8).for_each(|n| one.tell(vec![n]));
    for n in 0..9u8 {
        assert_eq!(heard_two.recv_timeout(PATIENCE), Ok(Event::Told(vec![n])));
    }
    let begun = Instant::now();
    while (one.state(1), two.state(0)) != (2, 1) || one.heard().silence(1) >= Duration::from_secs(3) {
        assert!(begun.elapsed() < PATIENCE, "each says how it is");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Who takes its leave is not lost, and nobody is left waiting.
    two.stop();
    let begun = Instant::now();
    while ask(&runtime, &one, b"there?", PATIENCE) != Err(Unanswered::Lost) {
        assert!(begun.elapsed() < PATIENCE, "it has gone");
    }
    one.stop();
    assert_eq!((heard_one.try_recv().ok(), heard_two.try_recv().ok()), (None, None));
}

#[test]
fn a_connection_that_ends_is_a_loss_that_is_told_once() {
    let (here, there) = pair();
    let (one, events) = process(0, here);
    let runtime = runtime();
    let waiting = one.ask(1, false, b"x".to_vec(), PATIENCE);
    drop(there);
    assert_eq!(runtime.block_on(waiting), Err(Unanswered::Lost));
    assert!(matches!(events.recv_timeout(PATIENCE), Ok(Event::Lost(_))));
    assert_eq!(ask(&runtime, &one, b"x", PATIENCE), Err(Unanswered::Lost));
    one.stop();
    assert_eq!(events.try_recv().ok(), None);
}

#[test]
fn a_peer_that_takes_and_says_nothing_is_not_waited_for() {
    let (here, _there) = pair();
    let (one, events) = process(0, here);
    let runtime = runtime();
    let begun = Instant::now();
    assert_eq!(ask(&runtime, &one, b"x", PATIENCE), Err(Unanswered::Silent));
    assert!(begun.elapsed() < Duration::from_secs(15), "silence is noticed");
    // A busy machine may hold up some of them.
    let known = (0..5).map(|_| {
        let begun = Instant::now();
        assert_eq!(ask(&runtime, &one, b"x", PATIENCE), Err(Unanswered::Silent));
        begun.elapsed()
    });
    assert!(known.min() < Some(Duration::from_millis(500)), "and then known");
    // It fills nobody's memory, and its return is no loss.
    (0..200).for_each(|_| one.tell(vec![0; 1 << 20]));
    assert_eq!(events.try_recv().ok(), None);
    let begun = Instant::now();
    one.stop();
    assert!(begun.elapsed() < Duration::from_secs(15), "taking leave is bounded");
}

#[test]
fn what_makes_no_sense_is_a_loss() {
    let (here, there) = pair();
    let ((one, _), (_two, events)) = (process(0, here), process(1, there));
    one.tell(b"nonsense".to_vec());
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Told(b"nonsense".to_vec())));
    assert!(matches!(events.recv_timeout(PATIENCE), Ok(Event::Lost(why)) if why.contains("no sense")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, questions out of nowhere and answers to none among it, the end is a loss or a farewell.
    #[test]
    fn any_bytes_end_a_connection_and_nothing_else(
        frames in proptest::collection::vec((any::<u64>(), 0u8..3, any::<bool>()), 0..5),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (here, mut there) = pair();
        let (one, events) = process(0, here);
        for (id, kind, long) in frames {
            let frame = match kind {
                0 => Frame::Answer(id, b"to nothing".to_vec()),
                1 => Frame::Busy(id),
                _ => Frame::Ask(Ask { id, long, within_ms: 1000, question: vec![1, 2, 3] }),
            };
            there.write_all(&frame.to_bytes().expect("small")).expect("it reads");
        }
        let _ = there.write_all(&bytes);
        drop(there);
        let begun = Instant::now();
        while one.ask_would_fail() != Some(Unanswered::Lost) {
            prop_assert!(begun.elapsed() < PATIENCE, "the connection has ended");
            std::thread::sleep(Duration::from_millis(1));
        }
        one.stop();
        let losses = events.try_iter().filter(|event| matches!(event, Event::Lost(_))).count();
        prop_assert!(losses <= 1);
    }
}

impl Peers {
    fn ask_would_fail(&self) -> Option<Unanswered> {
        self.send(1, false, Vec::new(), PATIENCE).err()
    }
}
