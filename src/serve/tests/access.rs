//! Who may ask: the token, and pages of other origins.

use std::fs;

use super::client::{Answer, Client, get, send};
use super::fed::Fed;
use super::server::Server;
use crate::serve::route::Route;

const TOKEN: &str = "a-token-for-this-test";

/// A server with a token and these origins; the folder holds the token for as long as it may be read.
fn guarded(cors: &[&str]) -> (Fed, Server, tempfile::TempDir) {
    let (fed, folder) = (Fed::new(), tempfile::tempdir().expect("a folder"));
    fed.feed(1, &[(0, "#a good")]);
    let path = folder.path().join("token");
    fs::write(&path, format!("{TOKEN}\n")).expect("written");
    let server = Server::with(&fed.reader, |http| {
        http.token_file = Some(path);
        http.cors = cors.iter().map(|origin| (*origin).to_owned()).collect();
    });
    (fed, server, folder)
}

fn ask(server: &Server, method: &str, path: &str, headers: &str) -> Answer {
    let mut client = Client::connect(server.address);
    client.send(format!("{method} {path} HTTP/1.1\r\nhost: here\r\n{headers}\r\n").as_bytes());
    client.answer(method == "HEAD").expect("an answer")
}

/// A path that the route matches.
fn example(route: Route) -> String {
    route.path.replace("{count}", "words").replace("{term}", "good").replace("{file}", "main.js")
}

#[test]
fn without_the_token_only_what_is_open_is_answered() {
    let (_fed, server, _folder) = guarded(&[]);
    let right = format!("authorization: Bearer {TOKEN}\r\n");
    for route in Route::ALL {
        let path = example(route);
        let (without, with) = (ask(&server, "GET", &path, ""), ask(&server, "GET", &path, &right));
        assert_eq!(with.status, 200, "{path}: {}", with.text());
        if route.is_open() {
            assert_eq!(without.status, 200, "{path}");
        } else {
            assert_eq!((without.status, without.problem().as_str()), (401, "unauthorized"), "{path}");
            assert_eq!(without.header("www-authenticate"), Some("bearer realm=\"tidings\""), "{path}");
        }
    }
    for wrong in [
        "authorization: Bearer wrong\r\n".to_owned(),
        format!("authorization: Bearer {TOKEN}x\r\n"),
        format!("authorization: Basic {TOKEN}\r\n"),
        format!("authorization: {TOKEN}\r\n"),
        "authorization: \r\n".to_owned(),
        format!("authorization: Bearer wrong\r\nauthorization: Bearer {TOKEN}\r\n"),
    ] {
        for method in ["GET", "HEAD", "POST"] {
            let answer = ask(&server, method, "/v1/counts/words/terms", &wrong);
            let challenge = "bearer realm=\"tidings\", error=\"invalid_token\"";
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge)), "{wrong}");
            assert!(!answer.text().contains(TOKEN));
        }
    }
    assert_eq!(ask(&server, "GET", "/v1/status", &format!("authorization: bEARER  {TOKEN}\r\n")).status, 200);
    assert_eq!(get(server.address, &format!("/v1/counts?token={TOKEN}")).status, 401);
}

#[test]
fn the_second_listener_asks_for_no_token() {
    let (_fed, server, _folder) = guarded(&[]);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(server.health, path).status, 200, "{path}");
    }
    assert_eq!(get(server.health, "/v1/counts").status, 404);
}

#[test]
fn where_there_is_no_room_the_token_is_asked_for_as_well() {
    let (fed, folder) = (Fed::new(), tempfile::tempdir().expect("a folder"));
    fed.feed(1, &[(0, "good")]);
    let path = folder.path().join("token");
    fs::write(&path, TOKEN).expect("written");
    let server = Server::with(&fed.reader, |http| (http.token_file, http.max_connections) = (Some(path), 1));
    let mut taken = Client::connect(server.address);
    assert_eq!(taken.get("/livez").status, 200);
    assert_eq!((get(server.address, "/livez").status, get(server.address, "/metrics").status), (200, 401));
    assert_eq!(get(server.address, "/v1/counts").status, 503);
}

#[test]
fn pages_of_listed_origins_may_read_answers() {
    let (_fed, server, _folder) = guarded(&["https://a.example"]);
    let of = |origin: &str| format!("origin: {origin}\r\n");
    let right = format!("authorization: Bearer {TOKEN}\r\n");
    for (path, status) in
        [("/v1/counts/words/top", 200), ("/v1/counts/words/top?k=0", 400), ("/v1/nothing", 404)]
    {
        let answer = ask(&server, "GET", path, &(right.clone() + &of("https://a.example")));
        assert_eq!((answer.status, answer.header("vary")), (status, Some("origin")), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://a.example"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let other = ask(&server, "GET", path, &(right.clone() + &of("https://b.example")));
        assert_eq!((other.status, other.header("access-control-allow-origin")), (status, None), "{path}");
        assert_eq!(other.header("vary"), Some("origin"), "{path}");
    }
    // A page must be able to see that its token is wrong.
    let refused = ask(&server, "GET", "/v1/counts", &of("https://a.example"));
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (401, Some("https://a.example"))
    );
}

#[test]
fn a_preflight_needs_no_token_and_only_listed_origins_pass() {
    let (_fed, server, _folder) = guarded(&["https://a.example"]);
    let asks = "access-control-request-method: GET\r\naccess-control-request-headers: authorization\r\n";
    let preflight =
        |origin: &str, path: &str| ask(&server, "OPTIONS", path, &format!("origin: {origin}\r\n{asks}"));
    let passed = preflight("https://a.example", "/v1/counts/words/terms");
    assert_eq!((passed.status, passed.body.len()), (204, 0), "{}", passed.text());
    for (header, value) in [
        ("access-control-allow-origin", "https://a.example"),
        ("access-control-allow-methods", "get, head, post"),
        ("access-control-allow-headers", "authorization, content-type, last-event-id"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(passed.header(header), Some(value));
    }
    for (origin, path) in
        [("https://b.example", "/v1/counts"), ("null", "/v1/counts"), ("https://a.example", "/v1/nothing")]
    {
        let refused = preflight(origin, path);
        assert!([404, 405].contains(&refused.status), "{origin} {path}: {}", refused.status);
        assert_eq!(refused.header("access-control-allow-methods"), None, "{origin} {path}");
    }
    // Without the question of a preflight it is a method like others.
    assert_eq!(ask(&server, "OPTIONS", "/v1/counts", "origin: https://a.example\r\n").status, 405);
}

#[test]
fn without_a_list_no_page_of_another_origin_passes() {
    let fed = Fed::new();
    fed.feed(1, &[(0, "good")]);
    let server = Server::new(&fed.reader);
    let headers = "origin: https://a.example\r\naccess-control-request-method: GET\r\n";
    for (method, status) in [("GET", 200), ("OPTIONS", 405)] {
        let answer = ask(&server, method, "/v1/counts", headers);
        assert_eq!((answer.status, answer.header("vary")), (status, None));
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
    }
    let plain =
        send(server.address, b"GET /v1/counts HTTP/1.1\r\nhost: here\r\nauthorization: Bearer any\r\n\r\n");
    assert_eq!(plain.status, 200, "where no token is asked for, one does no harm");
}
