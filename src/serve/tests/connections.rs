//! What clients do to connections.

use std::thread;
use std::time::Duration;

use super::client::{Client, get, send};
use super::fed::Fed;
use super::server::{Server, served};

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_fed, server) = served();
    let mut client = Client::connect(server.address);
    let paths = ["/livez", "/v1/counts/words/top?k=1", "/nothing", "/v1/counts"];
    let requests = paths.map(|path| format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n"));
    client.send(requests.concat().as_bytes());
    let statuses = [(); 4].map(|()| client.answer(false).expect("an answer").status);
    assert_eq!(statuses, [200, 200, 404, 200]);
}

#[test]
fn head_is_get_without_a_body() {
    let (_fed, server) = served();
    for path in ["/v1/status", "/v1/counts/words/terms", "/", "/nothing", "/metrics"] {
        let mut client = Client::connect(server.address);
        client.send(format!("HEAD {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes());
        let head = client.answer(true).expect("an answer");
        let whole = client.get(path);
        assert_eq!(
            (head.status, head.header("content-type")),
            (whole.status, whole.header("content-type")),
            "{path}"
        );
        assert!(head.header("content-length").is_some_and(|length| length != "0"), "{path}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let (_fed, server) = served();
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = "y".repeat(20_000);
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        ("GET  / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost here\r\n\r\n".to_owned(), 400),
        ("POST /v1/counts/words/terms HTTP/1.1\r\ncontent-length: x\r\n\r\n".to_owned(), 400),
        (
            "POST /v1/counts/words/terms HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"
                .to_owned(),
            400,
        ),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        (format!("GET /{long}"), 431),
        ("GET * HTTP/1.1\r\nhost: here\r\n\r\n".to_owned(), 404),
        ("OPTIONS * HTTP/1.1\r\nhost: here\r\n\r\n".to_owned(), 404),
        ("CONNECT here:80 HTTP/1.1\r\nhost: here\r\n\r\n".to_owned(), 404),
        ("GET http://here/livez HTTP/1.1\r\nhost: here\r\n\r\n".to_owned(), 200),
        ("GET /livez HTTP/1.0\r\n\r\n".to_owned(), 200),
    ] {
        let answer = send(server.address, request.as_bytes());
        assert_eq!(answer.status, status, "{:.60}", request);
        match status {
            400 => assert_eq!(answer.problem(), "bad_request", "{request:.60}"),
            431 => assert_eq!(answer.problem(), "head_too_large", "{request:.60}"),
            _ => {}
        }
    }
    let answer = send(server.address, b"GET /v1/counts/words/terms/\xff HTTP/1.1\r\nhost: here\r\n\r\n");
    assert_eq!(answer.status, 400);
    let answer =
        send(server.address, "GET /v1/counts/words/terms/été HTTP/1.1\r\nhost: here\r\n\r\n".as_bytes());
    assert_eq!((answer.status, answer.json()["term"].as_str()), (200, Some("été")));
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let (_fed, server) = served();
    let garbage: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for start in (0..2000).step_by(50) {
        Client::connect(server.address).send(&garbage[start..start + 3000]);
        let mut half = Client::connect(server.address);
        half.send(b"POST /v1/counts/words/terms HTTP/1.1\r\ncontent-length: 100\r\n\r\n{\"ter");
    }
    assert_eq!(get(server.address, "/v1/counts/words/top").status, 200);
}

#[test]
fn a_chunked_body_is_read() {
    let (_fed, server) = served();
    let head = "POST /v1/counts/words/terms HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n";
    let whole = format!("{head}9\r\n{{\"terms\":\r\n8\r\n[\"good\"]\r\n1\r\n}}\r\n0\r\n\r\n");
    assert_eq!(send(server.address, whole.as_bytes()).json()["terms"][0]["term"], "good");
    let broken = format!("{head}9\r\n{{\"terms\":\r\nzz\r\n");
    assert_eq!(send(server.address, broken.as_bytes()).problem(), "bad_body");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let endless = head.to_owned() + &chunk.repeat(80);
    assert_eq!(send(server.address, endless.as_bytes()).status, 413);
}

#[test]
fn beyond_the_limit_there_is_still_life() {
    let fed = Fed::new();
    fed.feed(1, &[(0, "good")]);
    let server = Server::with_connections(&fed.reader, 2);
    let (mut one, mut two) = (Client::connect(server.address), Client::connect(server.address));
    assert_eq!((one.get("/livez").status, two.get("/livez").status), (200, 200));
    let refused = get(server.address, "/v1/counts/words/top");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "too_many_connections"));
    assert_eq!((refused.header("retry-after"), refused.header("connection")), (Some("1"), Some("close")));
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(server.address, path).status, 200, "{path}");
    }
    assert_eq!(one.get("/v1/counts/words/top").status, 200);
    drop((one, two));
    let freed = (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(20));
        get(server.address, "/v1/counts").status == 200
    });
    assert!(freed, "closed connections free their slots");
}
