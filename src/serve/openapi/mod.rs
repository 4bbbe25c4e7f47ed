//! `GET /openapi.json`: the whole interface, described.
//!
//! Idea: a table of operations, and schemas derived from the very types that are written, put together once. What the
//! description says of parameters comes from the lists by which queries are checked.
//! Invariant: every route is described with every method that it takes, and nothing else; tests hold the description
//! against a running server. `HEAD` goes with every `GET` and is not described apart.
//! Cost: some ten kilobytes, written when they are first asked for.

mod operations;
mod parameters;
mod responses;

use std::sync::{Arc, LazyLock};

use hyper::body::Bytes;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, Required,
};
use warp::http::StatusCode;

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::{Details, Problem};
use super::request::Request;
use super::route::Route;
use super::stamp::{Covers, Of, Stamp, Time};
use super::{counts, health, lookup, progress, series, status, term, terms, top};
use operations::Described;

/// The name of the security scheme.
const TOKEN: &str = "token";

const ABOUT: &str = "Live, exact counts of the words and hashtags in a stream of posts. Every answer carries a stamp that names \
    the records it counted. `HEAD` is answered wherever `GET` is. Errors are problem details (RFC 9457) and say what would be \
    valid instead. The token is needed only where the server has one; unknown query parameters are refused under `/v1`.";

/// Answers with the description.
pub async fn openapi(_: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    static WRITTEN: LazyLock<Bytes> = LazyLock::new(|| {
        let text = document().to_json().expect("a description is plain data");
        Bytes::from(text)
    });
    request.query(&[])?;
    Ok(answer::with(StatusCode::OK, answer::JSON, WRITTEN.clone(), &[]))
}

/// The description.
pub fn document() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title("tidings").version(env!("CARGO_PKG_VERSION"));
    let info = info.description(Some(ABOUT)).license(Some(license)).build();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = ComponentsBuilder::new()
        .schema_from::<Time>()
        .schema_from::<Stamp<'static>>()
        .schema_from::<Of<'static>>()
        .schema_from::<Covers>()
        .schema_from::<Details<'static>>()
        .schema_from::<status::Status<'static>>()
        .schema_from::<status::Member>()
        .schema_from::<status::Checkpoint>()
        .schema_from::<status::Last>()
        .schema_from::<progress::Progress>()
        .schema_from::<counts::Count<'static>>()
        .schema_from::<counts::Window<'static>>()
        .schema_from::<top::Top<'static>>()
        .schema_from::<top::Place>()
        .schema_from::<term::Term<'static>>()
        .schema_from::<term::Counted>()
        .schema_from::<terms::Page<'static>>()
        .schema_from::<series::Series<'static>>()
        .schema_from::<series::Pane>()
        .schema_from::<lookup::Asked>()
        .schema_from::<lookup::Answered<'static>>()
        .schema_from::<health::Ready>()
        .security_scheme(TOKEN, SecurityScheme::Http(scheme));
    let mut paths = Paths::new();
    for described in operations::all() {
        paths.add_path_operation(described.route.path, vec![described.method.clone()], operation(&described));
    }
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn operation(described: &Described) -> utoipa::openapi::path::Operation {
    let Described { route, id, summary, .. } = described;
    let mut operation = OperationBuilder::new().operation_id(Some(id.as_str())).summary(Some(*summary));
    for parameter in parameters::of(*route, described.query) {
        operation = operation.parameter(parameter);
    }
    if *route == Route::EVENTS {
        operation = operation.parameter(parameters::last_event_id());
    }
    if described.method == HttpMethod::Post {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Asked"))).build();
        let body = RequestBodyBuilder::new().content(answer::JSON, content).required(Some(Required::True));
        operation = operation.request_body(Some(body.description(Some("At most 256 KiB.")).build()));
    }
    if !route.is_open() {
        // Either with the token or, on a server without one, with nothing.
        operation = operation.security(SecurityRequirement::new(TOKEN, Vec::<String>::new()));
        operation = operation.security(SecurityRequirement::default());
    }
    operation.responses(responses::of(described)).build()
}
