//! The page's files: whole, compressed where that is asked for, kept by browsers, under one strict policy.

use std::collections::BTreeSet;
use std::io::Read;

use super::client::{Answer, get, send};
use super::server::served;

/// The files as they stand beside the code.
fn beside() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/serve/page");
    let names =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.into_string().expect("a plain name")).collect()
}

fn ask(address: std::net::SocketAddr, path: &str, headers: &str) -> Answer {
    send(address, format!("GET {path} HTTP/1.1\r\nhost: here\r\n{headers}\r\n").as_bytes())
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut content).expect("gzip");
    content
}

#[test]
fn every_file_is_served_in_both_forms() {
    let (_fed, server) = served();
    let mut sent = 0;
    for name in beside() {
        let path = format!("/page/{name}");
        let (plain, gzip) =
            (get(server.address, &path), ask(server.address, &path, "accept-encoding: br, gzip\r\n"));
        assert_eq!((plain.status, gzip.status), (200, 200), "{name} is not embedded");
        assert_eq!((plain.header("content-encoding"), gzip.header("content-encoding")), (None, Some("gzip")));
        assert!(unpacked(&gzip) == plain.body, "{name}");
        assert_ne!(plain.header("etag"), gzip.header("etag"));
        assert_eq!(gzip.header("vary"), Some("accept-encoding"));
        sent += gzip.body.len();
    }
    assert!(get(server.address, "/").body == get(server.address, "/page/index.html").body);
    println!("all files together: {sent} bytes compressed");
    assert!(sent < 40_000, "{sent} bytes");
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let (_fed, server) = served();
    let first = ask(server.address, "/", "accept-encoding: gzip\r\n");
    let tag = first.header("etag").expect("a tag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let headers = format!("accept-encoding: gzip\r\nif-none-match: {known}\r\n");
        let again = ask(server.address, "/", &headers);
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
        assert!(again.header("content-security-policy").is_some());
    }
    // The other form of the same file is another content.
    assert_eq!(ask(server.address, "/", &format!("if-none-match: {tag}\r\n")).status, 200);
}

#[test]
fn gzip_is_sent_only_where_it_is_taken() {
    let (_fed, server) = served();
    let encoding = |accepted: &str| {
        let answer = ask(server.address, "/page/main.js", &format!("accept-encoding: {accepted}\r\n"));
        answer.header("content-encoding").is_some()
    };
    assert!(["gzip", "GZIP;q=0.5", "br;q=1.0, gzip ; q=0.2", "*"].into_iter().all(encoding));
    assert!(
        !["", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0, *", "gzip;q=x"].into_iter().any(encoding)
    );
}

#[test]
fn the_policy_forbids_everything_foreign() {
    let (_fed, server) = served();
    for path in ["/", "/page/main.js", "/page/icon.svg"] {
        let answer = get(server.address, path);
        let policy = answer.header("content-security-policy").expect("a policy");
        for part in ["default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        let headers = ["x-content-type-options", "referrer-policy", "x-frame-options"];
        assert_eq!(
            headers.map(|name| answer.header(name)),
            [Some("nosniff"), Some("no-referrer"), Some("deny")]
        );
    }
}

#[test]
fn other_files_are_refused_with_those_that_there_are() {
    let (_fed, server) = served();
    for path in ["/page/", "/page/..%2Fpage.rs", "/page/main.ts", "/page/%00"] {
        let refused = get(server.address, path);
        assert_eq!((refused.status, refused.problem().as_str()), (404, "unknown_path"), "{path}");
        assert!(refused.valid().contains(&"/page/main.js".to_owned()));
    }
}

#[test]
fn every_module_is_loaded_at_once_and_none_sets_markup() {
    let (_fed, server) = served();
    let page = get(server.address, "/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let html = page.text();
    assert!(["style=", "onload", "http"].into_iter().all(|forbidden| !html.contains(forbidden)));
    let scripts = beside().into_iter().filter(|name| name.ends_with(".js"));
    for name in scripts {
        assert!(
            html.contains(&format!("/page/{name}\"")),
            "{name} would be found only when another asks for it"
        );
        let script = String::from_utf8(get(server.address, &format!("/page/{name}")).body).expect("UTF-8");
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"]
        {
            let namespace = script.replace("http://www.w3.org/2000/svg", "");
            assert!(!namespace.contains(forbidden), "{name} has {forbidden}");
        }
    }
}
