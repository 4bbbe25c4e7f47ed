//! A broker that is slow to say which topics it has: nothing is taken for granted until it has.
//!
//! Idea: a client reaches the broker by a relay alone, since that is the address which the broker tells. Behind the answer to a client's
//! second question for offsets the relay holds all answers back for as long as the test wants; at its start the program asks
//! for the ids of topics after that.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::admin::Admin;
use crate::broker::Broker;
use crate::held::Held;
use crate::kept::{counted, kept_in};
use crate::load::Load;

/// The number of a request for offsets in Kafka's protocol.
const LIST_OFFSETS: [u8; 2] = [0, 2];

/// Listens for clients of the broker at this port, for as long as the test's process lives. All answers behind that to a
/// client's second question for offsets come later by as many milliseconds as `hold` says.
fn relay(listener: TcpListener, port: u16, hold: Arc<AtomicU64>) {
    thread::spawn(move || {
        for near in listener.incoming() {
            let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", port))) else { continue };
            // Answers come in the order of the questions.
            let (prompt, hold) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::clone(&hold));
            let (from, to, until) =
                (near.try_clone().unwrap(), far.try_clone().unwrap(), Arc::clone(&prompt));
            thread::spawn(move || {
                let (mut all, mut offsets) = (0, 0);
                pass(from, to, |question| {
                    (all, offsets) = (all + 1, offsets + usize::from(question.starts_with(&LIST_OFFSETS)));
                    if offsets == 2 {
                        until.fetch_min(all, Ordering::SeqCst);
                    }
                });
            });
            thread::spawn(move || {
                let mut all = 0;
                pass(far, near, |_| {
                    all += 1;
                    if all > prompt.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(hold.load(Ordering::SeqCst)));
                    }
                });
            });
        }
    });
}

/// Passes messages on, each after it was seen, until one end closes.
fn pass(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) {
    let mut length = [0; 4];
    while from.read_exact(&mut length).is_ok() {
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        if from.read_exact(&mut message).is_err() {
            break;
        }
        see(&message);
        if to.write_all(&[&length[..], &message].concat()).is_err() {
            break;
        }
    }
    // The other end may be gone already.
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_topic_made_again_is_refused_however_slowly_a_broker_says_so() {
    const TOPIC: &str = "slowly-known";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = listener.local_addr().unwrap().port();
    let broker = Broker::start(&format!("advertised.listeners=PLAINTEXT://127.0.0.1:{told}\n"));
    let port = broker.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let hold = Arc::new(AtomicU64::new(0));
    relay(listener, port, Arc::clone(&hold));
    let (address, folder) = (format!("127.0.0.1:{told}"), TempDir::new().unwrap());
    let admin = Admin::of(&address);
    admin.create(TOPIC, 1, &[]);
    let text = kept_in(&address, &folder, TOPIC, "");
    counted(&text, &Load::new(&address, TOPIC, 1).send(100));
    admin.delete(TOPIC);
    admin.create(TOPIC, 1, &[]);
    Load::new(&address, TOPIC, 1).send(400);

    for (held_back, code, why) in [(4_000, 65, "made anew since"), (60_000, 74, "which ids its topics have")]
    {
        hold.store(held_back, Ordering::SeqCst);
        let begun = Instant::now();
        let mut held = Held::start(&text);
        assert_eq!(held.ends_within(Duration::from_secs(40)), Some(code), "{}", held.log());
        assert!(held.log().contains(why), "{}", held.log());
        println!("{code} after {:?}", begun.elapsed());
    }
}
