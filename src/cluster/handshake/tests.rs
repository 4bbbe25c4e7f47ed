use std::net::TcpListener;
use std::thread;

use proptest::prelude::*;
use ring::hmac::HMAC_SHA256;

use super::super::hello::tests::hello;
use super::*;

fn key(secret: &str) -> Key {
    Key::new(HMAC_SHA256, secret.as_bytes())
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let one = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    (one, listener.accept().expect("it was dialled").0)
}

/// Process 1 dials process 0: what each comes to.
fn meet(
    dialler: &str,
    acceptor: &str,
    change: impl Fn(&mut Hello),
    admit: impl FnOnce(&Hello) -> Result<(), String>,
) -> (Result<Hello, Refusal>, Result<Hello, Refusal>) {
    let (mut one, mut zero) = pair();
    let mut mine = hello(1, 0);
    change(&mut mine);
    let secret = key(dialler);
    let dialling = thread::spawn(move || dial(&mut one, &mine, &secret));
    let accepted = accept(&mut zero, &key(acceptor), |_| hello(0, 1), admit);
    (dialling.join().expect("no panic"), accepted)
}

#[test]
fn both_learn_who_the_other_is() {
    let (dialled, accepted) = meet("secret", "secret", |_| (), |_| Ok(()));
    assert_eq!(dialled.expect("accepted"), hello(0, 1));
    assert_eq!(accepted.expect("proved"), hello(1, 0));
}

#[test]
fn each_refusal_is_said_on_both_sides() {
    let (dialled, accepted) = meet("secret", "other", |_| (), |_| Ok(()));
    let (dialled, accepted) = (dialled.expect_err("refused"), accepted.expect_err("refused"));
    assert!(matches!(&dialled, Refusal::Theirs(why) if why.contains("`cluster.secret_file`")), "{dialled}");
    assert!(matches!(&accepted, Refusal::Ours(why) if why.contains("`cluster.secret_file`")), "{accepted}");

    let (dialled, accepted) = meet("secret", "secret", |mine| mine.member.build = [0; 32], |_| Ok(()));
    let (dialled, accepted) = (dialled.expect_err("refused"), accepted.expect_err("refused"));
    assert!(dialled.to_string().contains("another build"), "{dialled}");
    assert!(accepted.to_string().contains("another build"), "{accepted}");

    let (dialled, accepted) = meet("secret", "secret", |_| (), |_| Err("too late\n\u{1b}[2J".to_owned()));
    assert_eq!(dialled.expect_err("refused").to_string(), "it says: too late  [2J");
    assert!(matches!(accepted, Err(Refusal::Ours(_))));
}

#[test]
fn what_was_said_once_proves_nothing_again() {
    // All that a dialler says in a handshake that succeeds, by a tap between the two.
    let ((mut dialler, mut near), (mut far, mut acceptor)) = (pair(), pair());
    let secret = key("secret");
    let answering = thread::spawn(move || accept(&mut acceptor, &key("secret"), |_| hello(0, 1), |_| Ok(())));
    let tapping = thread::spawn(move || {
        let (mut to_near, mut from_far) =
            (near.try_clone().expect("cloned"), far.try_clone().expect("cloned"));
        thread::spawn(move || io::copy(&mut from_far, &mut to_near));
        let (mut said, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(n @ 1..) = near.read(&mut piece) {
            said.extend_from_slice(&piece[..n]);
            far.write_all(&piece[..n]).expect("it is read");
        }
        said
    });
    dial(&mut dialler, &hello(1, 0), &secret).expect("accepted");
    answering.join().expect("no panic").expect("proved");
    dialler.shutdown(std::net::Shutdown::Both).expect("it is open");
    let said = tapping.join().expect("no panic");

    let (mut replaying, mut acceptor) = pair();
    replaying.write_all(&said).expect("it is read");
    let answer = |_: &Hello| Hello { nonce: [8; 32], ..hello(0, 1) };
    let refusal = accept(&mut acceptor, &secret, answer, |_| Ok(())).expect_err("a replay");
    assert!(refusal.to_string().contains("secret"), "{refusal}");
}

#[test]
fn an_echo_is_no_process() {
    let (mut one, mut echo) = pair();
    thread::spawn(move || {
        let mut back = echo.try_clone().expect("cloned");
        io::copy(&mut echo, &mut back)
    });
    let refusal = dial(&mut one, &hello(1, 0), &key("secret")).expect_err("an echo");
    assert!(refusal.to_string().contains("`cluster.hosts`"), "{refusal}");
}

#[test]
fn another_protocol_is_named() {
    let (mut stranger, mut acceptor) = pair();
    stranger.write_all(b"tidings\n\x00\x09\x01\x00\x00").expect("it is read");
    let refusal = accept(&mut acceptor, &key(""), |_| hello(0, 1), |_| Ok(())).expect_err("refused");
    assert!(refusal.to_string().contains("speaks protocol 9"), "{refusal}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_are_a_process(whole: bool, kind in 0u8..6, body in prop::collection::vec(any::<u8>(), 0..600)) {
        let (mut stranger, mut acceptor) = pair();
        let mut sent = if whole { [&MAGIC[..], &PROTOCOL.to_be_bytes(), &[kind]].concat() } else { Vec::new() };
        sent.extend_from_slice(&(body.len() as u16).to_be_bytes());
        sent.extend_from_slice(&body);
        stranger.write_all(&sent).expect("it is read");
        drop(stranger);
        let refused = accept(&mut acceptor, &key(""), |_| hello(0, 1), |_| Ok(()));
        prop_assert!(refused.is_err());
    }
}
