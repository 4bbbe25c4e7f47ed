//! A bug in a request is the failure of that request.

use super::client::Client;
use super::fed::Fed;
use super::server::Custom;
use crate::serve::api::Effort;
use crate::serve::resource::resource;
use crate::serve::route::Route;

#[test]
fn a_panic_is_a_500_and_the_connection_lives() {
    let fed = Fed::new();
    let server = Custom::new(&fed.reader, |api| {
        let at_once = resource(api, Route::STATUS, |_, request| {
            assert!(request.segment(0).is_err(), "on purpose, before there is a future");
            async { unreachable!() }
        });
        let in_a_read = resource(api, Route::COUNTS, |api, _| async move {
            api.read(Effort::Short, || panic!("on purpose, on another thread")).await
        });
        vec![at_once, in_a_read]
    });
    let mut client = Client::connect(server.address);
    for path in ["/v1/status", "/v1/counts", "/v1/status", "/v1/counts"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"), "{path}");
        assert!(!answer.text().contains("on purpose"));
    }
    let metrics = client.get("/metrics");
    assert!(metrics.text().contains("\ntidings_http_panics_total 4\n"));
    assert!(metrics.text().contains("tidings_http_requests_total{route=\"/v1/status\",status=\"500\"} 2"));
}
