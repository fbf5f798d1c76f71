//! All URLs on one page, with the right that each asks for; what is not here does not exist.
use crate::accounts::rights::Right;
use crate::error::Error;
use crate::http::{auth, ops};
use crate::{accounts, calendar, calls, mail, reports, sla, surveys, tickets, timeline};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};
use std::collections::HashMap;
use std::sync::OnceLock;

/// One line of the table: method, path, right.
pub type Row = (&'static str, &'static str, Right);

macro_rules! api {
    ($($path:literal { $($method:ident $right:ident $($handler:ident)::+),+ $(,)? })+) => {
        /// Every route of the API and the right it asks for.
        pub const TABLE: &[Row] = &[$($((stringify!($method), concat!("/api/v1", $path), Right::$right)),+),+];

        /// The OpenAPI description of the same handlers.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($($handler)::+),+),+))]
        pub struct Described;

        fn api<T>(scope: actix_web::Scope<T>) -> actix_web::Scope<T>
        where
            T: actix_web::dev::ServiceFactory<
                    actix_web::dev::ServiceRequest,
                    Config = (),
                    Error = actix_web::Error,
                    InitError = (),
                >,
        {
            scope$(.service(
                web::resource($path)$(.route(web::$method().to($($handler)::+)))+
                    .configure_head([$((stringify!($method), web::head().to($($handler)::+))),+])
                    .default_service(web::to(|| not_allowed(&[$(stringify!($method)),+]))),
            ))+
        }
    };
}

/// Lets every GET be asked as HEAD too.
trait ConfigureHead {
    fn configure_head(self, routes: impl IntoIterator<Item = (&'static str, actix_web::Route)>) -> Self;
}

api! {
    "/tickets" { post TakeIn tickets::api::create, get Work tickets::api::list }
    "/tickets/{id}" { get Work tickets::api::get, patch Work tickets::api::change }
    "/tickets/{id}/messages" { post TakeIn tickets::api_messages::receive }
    "/tickets/{id}/replies" { post Work tickets::api_messages::reply }
    "/tickets/{id}/notes" { post Work tickets::api_messages::note }
    "/tickets/{id}/pickup" { post Work tickets::api_messages::pick_up }
    "/tickets/{id}/assignee" { put Work tickets::api::assign }
    "/tickets/{id}/team" { put Work tickets::api::hand_over }
    "/tickets/{id}/closure" { post Work tickets::api::close, delete Work tickets::api::reopen }
    "/tickets/{id}/history" { get Work timeline::api::history }
    "/tickets/{id}/callbacks" { post Work calls::api::call_back }
    "/calls/events" { post ReportCalls calls::api::report }
    "/calls" { get Work calls::api::list }
    "/calls/{id}" { get Work calls::api::get }
    "/calls/{id}/ticket" { put Work calls::api::move_to }
    "/agents/{id}/phone" {
        get Work calls::api::phone, put Administer calls::api::set_phone, delete Administer calls::api::clear_phone
    }
    "/organizations" { post KeepAccounts accounts::organizations::api::create, get Work accounts::organizations::api::list }
    "/organizations/{id}" { get Work accounts::organizations::api::get, patch KeepAccounts accounts::organizations::api::change }
    "/contacts" { post KeepAccounts accounts::contacts::api::create, get Work accounts::contacts::api::list }
    "/contacts/{id}" { get Work accounts::contacts::api::get, patch KeepAccounts accounts::contacts::api::change }
    "/agents" { post Administer accounts::agents::api::create, get Work accounts::agents::api::list }
    "/agents/me" { get Work accounts::agents::api::me }
    "/agents/{id}" { get Work accounts::agents::api::get, patch Administer accounts::agents::api::change }
    "/teams" { post Administer accounts::teams::api::create, get Work accounts::teams::api::list }
    "/teams/{id}" { get Work accounts::teams::api::get, patch Administer accounts::teams::api::change }
    "/tokens" { post Administer accounts::tokens::api::create, get Administer accounts::tokens::api::list }
    "/tokens/{id}" { delete Administer accounts::tokens::api::revoke }
    "/calendars" { post Administer calendar::api::create, get Work calendar::api::list }
    "/calendars/{id}" { get Work calendar::api::get, put Administer calendar::api::replace, delete Administer calendar::api::remove }
    "/calendars/{id}/exceptions/{on}" {
        put Administer calendar::api_exceptions::put, delete Administer calendar::api_exceptions::remove
    }
    "/calendars/{id}/open" { get Work calendar::api_exceptions::open }
    "/calendars/{id}/deadline" { post Work calendar::api_exceptions::deadline }
    "/policies" { post Administer sla::api::create, get Work sla::api::list }
    "/policies/{id}" { get Work sla::api::get, put Administer sla::api::replace, delete Administer sla::api::remove }
    "/mails" { get Manage mail::api::list }
    "/mails/{id}" { get Manage mail::api::get }
    "/mails/{id}/release" { post Manage mail::api::release }
    "/surveys/responses" { get Work surveys::api::list }
    "/surveys/responses/{id}" { get Work surveys::api::get }
    "/surveys/responses/{id}/claim" { post Work surveys::api::claim, delete Work surveys::api::give_back }
    "/surveys/responses/{id}/review" { put Work surveys::api::review }
    "/reports/sla" { get Manage reports::api::sla }
    "/reports/sla/rows" { get Manage reports::api_rows::sla }
    "/reports/nps" { get Manage reports::api::nps }
    "/reports/nps/rows" { get Manage reports::api_rows::nps }
    "/reports/calls" { get Manage reports::api_calls::report }
    "/reports/calls/rows" { get Manage reports::api_calls::rows }
}

impl ConfigureHead for actix_web::Resource {
    fn configure_head(self, routes: impl IntoIterator<Item = (&'static str, actix_web::Route)>) -> Self {
        routes.into_iter().filter(|(method, _)| *method == "get").fold(self, |resource, (_, route)| resource.route(route))
    }
}

/// The right that a route asks for; `None` where there is no such route.
pub fn right(method: &Method, pattern: &str) -> Option<Right> {
    static ROWS: OnceLock<HashMap<(String, &'static str), Right>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| TABLE.iter().map(|(method, path, right)| ((method.to_uppercase(), *path), *right)).collect());
    // The key owns its method so that the static rows can be asked with a borrowed one.
    rows.iter().find(|((name, path), _)| name == method.as_str() && *path == pattern).map(|(_, right)| *right)
}

async fn not_allowed(methods: &[&str]) -> HttpResponse {
    let mut allowed: Vec<String> = methods.iter().map(|method| method.to_uppercase()).collect();
    if methods.contains(&"get") {
        allowed.push("HEAD".to_owned());
    }
    Error::MethodNotAllowed(allowed.join(", ")).error_response()
}

async fn nowhere() -> HttpResponse {
    Error::NotFound("path").error_response()
}

/// Everything that is served.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(api(web::scope("/api/v1").wrap(from_fn(auth::gate))).default_service(web::to(nowhere)))
        .configure(ops::routes)
        .configure(surveys::pages::routes)
        .configure(calls::hooks::routes)
        .default_service(web::to(nowhere));
}
