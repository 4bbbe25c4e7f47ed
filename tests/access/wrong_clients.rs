//! Clients that speak the wrong thing, or nothing, or slowly.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::certificates::make;
use crate::client::{Encrypted, connect, get};
use crate::{TLS, start};

#[test]
fn plain_http_to_a_tls_port_is_told_so() {
    let made = make();
    let mut running = start(&made.files(), TLS);
    let address = running.server.address().to_owned();
    for path in ["/livez", "/v1/counts", "/"] {
        let answer = get(&mut connect(&address), path, "").unwrap();
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text.contains("https://") && answer.text.contains("tls_required"), "{}", answer.text);
    }
    running.server.says("a client speaks plain HTTP to a port that takes TLS", 1);
    // What is neither is nobody's language.
    let mut nonsense = connect(&address);
    nonsense.write_all(b"\0\x01\x02nonsense\r\n\r\n").unwrap();
    ended(nonsense, Instant::now());
    connect(&address).write_all(b"\x16\x03\x01\xff\xffnonsense").unwrap();
    connect(&address).write_all(b"\x16\x03\x01\0\x05\x01\0\0\x01\0").unwrap();
    running.server.says("a TLS handshake failed", 1);
    let mut client = Encrypted::connect(&address, &made.cert).unwrap();
    let metrics = client.get("/metrics", "").unwrap().text;
    assert!(metrics.contains("tidings_http_mistakes_total{mistake=\"plain_http\"} 4"), "{metrics}");
    let lines = running.server.log().matches("a client speaks plain HTTP").count();
    assert_eq!(lines, 1, "a line for each would fill a disk");
}

#[test]
fn tls_to_a_plain_port_is_told_in_the_log() {
    let made = make();
    let mut running = start(&[], "");
    let address = running.server.address().to_owned();
    assert!(Encrypted::connect(&address, &made.cert).is_err());
    running.server.says("a client speaks TLS to a port that takes plain HTTP", 1);
    assert_eq!(get(&mut connect(&address), "/livez", "").unwrap().status, 200);
}

/// When the server ended this connection.
fn ended(mut stream: TcpStream, since: Instant) -> Duration {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    since.elapsed()
}

#[test]
fn silent_and_slow_handshakes_hold_nobody_up() {
    let made = make();
    let mut running = start(&made.files(), TLS);
    let address = running.server.address().to_owned();
    let begun = Instant::now();
    let silent: Vec<TcpStream> = (0..100).map(|_| connect(&address)).collect();
    let begun_only: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = connect(&address);
            stream.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc").unwrap();
            stream
        })
        .collect();
    // It takes its time after the handshake: the limit is for both together.
    let mut slow = Encrypted::connect(&address, &made.cert).unwrap();
    slow.send(b"GET /livez HTTP/1.1\r\n");
    // As many as there is time for.
    let mut answered = 0;
    while answered < 3 || (answered < 20 && begun.elapsed() < Duration::from_secs(6)) {
        let asked = Instant::now();
        let answer = Encrypted::connect(&address, &made.cert).unwrap().get("/livez", "").unwrap();
        assert_eq!(answer.status, 200);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        answered += 1;
    }
    assert!(begun.elapsed() < Duration::from_secs(9), "too slow to tell: {:?}", begun.elapsed());
    slow.ends();
    let all = silent.into_iter().chain(begun_only).map(|stream| ended(stream, begun));
    let longest = all.chain([begun.elapsed()]).max().unwrap();
    assert!((9..30).contains(&longest.as_secs()), "{longest:?}");
    running.server.says("a TLS handshake was not finished in time", 1);
    assert!(running.server.lives());
}

#[test]
fn a_client_that_never_reads_is_let_go_with_tls_as_well() {
    let made = make();
    let running = start(&made.files(), TLS);
    let address = running.server.address().to_owned();
    let mut deaf = Encrypted::connect(&address, &made.cert).unwrap();
    // Far more answers than the buffers on the way take.
    deaf.send(&b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(300));
    let begun = Instant::now();
    loop {
        let metrics = Encrypted::connect(&address, &made.cert).unwrap().get("/metrics", "").unwrap().text;
        let open = metrics.lines().find_map(|line| line.strip_prefix("tidings_http_connections ")).unwrap();
        // The one that asks is open as well; the one before it may not be closed yet.
        if open == "1" {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{open} are still open");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(begun.elapsed() > Duration::from_secs(5), "not before it stalled: {:?}", begun.elapsed());
}

#[test]
fn connections_have_a_limit_with_tls_as_well() {
    let made = make();
    let running = start(&made.files(), &format!("{TLS}\nmax_connections = 3\nmax_streams = 3"));
    let address = running.server.address().to_owned();
    let mut open: Vec<Encrypted> =
        (0..3).map(|_| Encrypted::connect(&address, &made.cert).unwrap()).collect();
    open.iter_mut().for_each(|client| assert_eq!(client.get("/livez", "").unwrap().status, 200));
    // Whoever is beyond the limit has two seconds, which may be too short on a busy machine.
    let beyond = |path: &str| {
        let ask = || Encrypted::connect(&address, &made.cert)?.get(path, "");
        (0..5).find_map(|_| ask().ok()).unwrap()
    };
    let refused = beyond("/v1/counts");
    assert!(refused.status == 503 && refused.text.contains("too_many_connections"), "{}", refused.text);
    assert_eq!(beyond("/livez").status, 200);
    assert_eq!(get(&mut connect(&address), "/livez", "").unwrap().status, 400, "in the clear as ever");
}
