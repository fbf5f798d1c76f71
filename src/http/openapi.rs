//! The API's description (OpenAPI 3.1), made from the handlers; what all routes share is added here.
use super::respond::{PROBLEM, Problem};
use crate::error::FieldError;
use crate::routes;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response,
    ResponseBuilder, Type,
};
use utoipa::{OpenApi as _, PartialSchema, ToSchema};

const INTRODUCTION: &str = "A support desk that publishes its promises and proves to the second whether it kept them.\n\n\
Send `Authorization: Bearer TOKEN`. Errors are `application/problem+json` (RFC 9457) with a stable `code`. \
Lists come in pages: give `next_cursor` back as `cursor`, or follow the `Link` header. \
Every POST that writes takes an `Idempotency-Key`: a retry within 24 hours gets the first answer again. \
Every version is an `ETag`: send it back as `If-Match` and a change that somebody else made first is refused (412). \
HEAD works wherever GET does. Instants are RFC 3339 in UTC.";

/// Routes whose thing has no version of its own, or whose verb does not look at it.
const WITHOUT_VERSION: [&str; 21] = [
    "/acknowledgement",
    "/attempts",
    "/calls/{id}/ticket",
    "/claim",
    "/confirmation",
    "/deadline",
    "/discard",
    "/domains/{domain}",
    "/erasure",
    "/followup",
    "/links/{other}",
    "/messages",
    "/phone",
    "/ping",
    "/preview",
    "/release",
    "/retry",
    "/review",
    "/suppressions/{id}",
    "/ticket",
    "/tokens/{id}",
];

/// The errors that a route can answer with, beside its own success.
fn errors(operation: &Operation, has_id: bool) -> Vec<(&'static str, &'static str)> {
    let mut list = vec![
        ("400", "Unreadable: malformed JSON, invalid UTF-8, a bad header"),
        ("401", "No valid token"),
        ("403", "The token may not do this"),
        ("422", "Fields or parameters are wrong; `errors` names each"),
        ("429", "Too many requests; see `Retry-After`"),
        ("503", "The database is busy, full or away; try again"),
    ];
    if has_id {
        list.push(("404", "There is no such thing"));
    }
    if operation.request_body.is_some() {
        list.push(("413", "The body is too large"));
        list.push(("415", "The body is not application/json"));
    }
    list
}

fn problem(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    ResponseBuilder::new().description(description).content(PROBLEM, content).build().into()
}

fn header_parameter(name: &str, description: &str, max_length: usize) -> Parameter {
    let text =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(max_length)).pattern(Some("^[!-~]+$"));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text.build()))
        .build()
}

fn complete(operation: &mut Operation, method: &HttpMethod, path: &str) {
    let has_id = path.contains('{');
    for (status, description) in errors(operation, has_id) {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
    }
    let writes = !matches!(method, HttpMethod::Get);
    let mut parameters = Vec::new();
    if writes {
        operation
            .responses
            .responses
            .entry("409".into())
            .or_insert_with(|| problem("The state does not allow this; `code` says why"));
    }
    // A deadline is a pure question: a retry gets the same answer without a key.
    if matches!(method, HttpMethod::Post) && !path.ends_with("/deadline") && !path.ends_with("/preview") {
        parameters.push(header_parameter(
            "Idempotency-Key",
            "A retry with the same key gets the first answer again, for 24 hours.",
            255,
        ));
    }
    if writes && has_id && !WITHOUT_VERSION.iter().any(|end| path.ends_with(end)) {
        operation
            .responses
            .responses
            .entry("412".into())
            .or_insert_with(|| problem("It was changed since the version in `If-Match`"));
        parameters.push(header_parameter("If-Match", "The `ETag` of the version that you saw.", 100));
    }
    operation.parameters.get_or_insert_with(Vec::new).extend(parameters.into_iter().map(RefOr::T));
    operation.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    if let Some(right) = routes::right(&actix_method(method), path) {
        let text = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{text}\n\nNeeds the right `{right}`.").trim().to_owned());
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status == "429"
        {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer);
            response.headers.insert("Retry-After".into(), HeaderBuilder::new().schema(Some(seconds)).build().into());
        }
    }
}

fn actix_method(method: &HttpMethod) -> actix_web::http::Method {
    use actix_web::http::Method;
    match method {
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
        _ => Method::GET,
    }
}

/// The description as it is served and as `deskbell openapi` prints it.
pub fn description() -> OpenApi {
    let mut description = routes::Described::openapi();
    description.info = InfoBuilder::new()
        .title("Deskbell")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
        .build();
    let mut components = description.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(FieldError::name().into_owned(), FieldError::schema());
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    description.components = Some(components);
    for (path, item) in &mut description.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(operation, &method, path);
            }
        }
    }
    description
}
