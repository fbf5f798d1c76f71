//! All URLs on one page, with the right that each asks for; what is not here does not exist.
use crate::accounts::rights::Right;
use crate::error::Error;
use crate::http::{auth, ops, pattern::Patterns};
use crate::{
    accounts, attachments, audit, calendar, calls, canned, chat, digest, fields, inbound, live, mail, presence, privacy, reports,
    shifts, sla, surveys, tags, tickets, timeline, transfer, views, webhooks,
};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, ResponseError, Scope};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

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

        /// Each path with what answers there.
        fn resources() -> Vec<(&'static str, Resource)> {
            vec![$((
                $path,
                web::resource(under_word($path).1)$(.route(web::$method().to($($handler)::+)))+
                    .configure_head([$((stringify!($method), web::head().to($($handler)::+))),+])
                    .default_service(web::to(|| not_allowed(&[$(stringify!($method)),+]))),
            )),+]
        }
    };
}

/// Lets every GET be asked as HEAD too.
trait ConfigureHead {
    fn configure_head(self, routes: impl IntoIterator<Item = (&'static str, actix_web::Route)>) -> Self;
}

api! {
    "/tickets" { post TakeIn tickets::api::create, get Work tickets::api::list }
    "/tickets/bulk" { post Work tickets::bulk::api::change }
    "/tickets/{id}" { get Work tickets::api::get, patch Work tickets::api::change }
    "/tickets/{id}/messages" { post TakeIn tickets::api_messages::receive }
    "/tickets/{id}/replies" { post Work tickets::api_messages::reply }
    "/tickets/{id}/notes" { post Work tickets::api_messages::note }
    "/tickets/{id}/pickup" { post Work tickets::api_messages::pick_up }
    "/tickets/{id}/assignee" { put Work tickets::api::assign }
    "/tickets/{id}/team" { put Work tickets::api::hand_over }
    "/tickets/{id}/closure" { post Work tickets::api::close, delete Work tickets::api::reopen }
    "/tickets/{id}/merge" { post Work tickets::related::api::merge, delete Work tickets::related::api::unmerge }
    "/tickets/{id}/links/{other}" { put Work tickets::related::api::link, delete Work tickets::related::api::unlink }
    "/tickets/{id}/history" { get Work timeline::api::history }
    "/tickets/{id}/sla" { get Work sla::api_sla::explain }
    "/tickets/{id}/callbacks" { post Work calls::api::call_back }
    "/chats" { get Work chat::api::list }
    "/chats/{id}" { get Work chat::api::get }
    "/chats/{id}/messages" { get Work chat::api::messages, post Work chat::api::say }
    "/chats/{id}/accept" { post Work chat::api::accept }
    "/chats/{id}/decline" { post Work chat::api::decline }
    "/chats/{id}/end" { post Work chat::api::end }
    "/chats/{id}/block" { put Work chat::api::block }
    "/calls/events" { post ReportCalls calls::api::report }
    "/calls" { get Work calls::api::list }
    "/calls/{id}" { get Work calls::api::get }
    "/calls/{id}/ticket" { put Work calls::api::move_to }
    "/agents/{id}/phone" {
        get Work calls::api::phone, put Administer calls::api::set_phone, delete Administer calls::api::clear_phone
    }
    "/attachments" { post TakeIn attachments::api::upload }
    "/attachments/{id}" { get Work attachments::api::download }
    "/canned-replies" { post Manage canned::api::create, get Work canned::api::list }
    "/canned-replies/{id}" {
        get Work canned::api::get, patch Manage canned::api::change, delete Manage canned::api::remove
    }
    "/canned-replies/{id}/preview" { post Work canned::api::preview }
    "/views" { post Work views::api::create, get Work views::api::list }
    "/views/{id}" { get Work views::api::get, patch Work views::api::change, delete Work views::api::remove }
    "/views/{id}/tickets" { get Work views::api::tickets }
    "/tags" { get Work tags::api::list }
    "/tags/rename" { post Manage tags::api::rename }
    "/tags/merge" { post Manage tags::api::merge }
    "/fields" { post Administer fields::api::create, get Work fields::api::list }
    "/fields/{id}" { get Work fields::api::get, patch Administer fields::api::change }
    "/organizations" { post KeepAccounts accounts::organizations::api::create, get Work accounts::organizations::api::list }
    "/organizations/{id}" { get Work accounts::organizations::api::get, patch KeepAccounts accounts::organizations::api::change }
    "/contacts" { post KeepAccounts accounts::contacts::api::create, get Work accounts::contacts::api::list }
    "/contacts/{id}" { get Work accounts::contacts::api::get, patch KeepAccounts accounts::contacts::api::change }
    "/contacts/{id}/export" { get Manage privacy::api::export }
    "/contacts/{id}/erasure" { post Administer privacy::api::erase }
    "/agents" { post Administer accounts::agents::api::create, get Work accounts::agents::api::list }
    "/agents/me" { get Work accounts::agents::api::me }
    "/agents/{id}" { get Work accounts::agents::api::get, patch Administer accounts::agents::api::change }
    "/teams" { post Administer accounts::teams::api::create, get Work accounts::teams::api::list }
    "/teams/{id}" { get Work accounts::teams::api::get, patch Administer accounts::teams::api::change }
    "/tokens" { post Administer accounts::tokens::api::create, get Administer accounts::tokens::api::list }
    "/tokens/{id}" { delete Administer accounts::tokens::api::revoke }
    "/calendars" { post Administer calendar::api::create, get Work calendar::api::list }
    "/calendars/{id}" { get Work calendar::api::get, put Administer calendar::api::replace, delete Administer calendar::api::remove }
    "/calendars/{id}/exceptions/import" { post Administer calendar::api_import::import }
    "/calendars/{id}/exceptions/{on}" {
        put Administer calendar::api_exceptions::put, delete Administer calendar::api_exceptions::remove
    }
    "/calendars/{id}/open" { get Work calendar::api_exceptions::open }
    "/calendars/{id}/deadline" { post Work calendar::api_exceptions::deadline }
    "/policies" { post Administer sla::api::create, get Work sla::api::list }
    "/policies/{id}" { get Work sla::api::get, put Administer sla::api::replace, delete Administer sla::api::remove }
    "/alerts" { get Work sla::alerts::api::list }
    "/alerts/letters" { get Manage sla::alerts::api_letters::list }
    "/alerts/letters/{id}" { get Manage sla::alerts::api_letters::get }
    "/alerts/letters/{id}/release" { post Manage sla::alerts::api_letters::release }
    "/alerts/{id}/acknowledgement" { post Work sla::alerts::api::acknowledge }
    "/mails" { get Manage mail::api::list }
    "/mails/{id}" { get Manage mail::api::get }
    "/mails/{id}/release" { post Manage mail::api::release }
    "/surveys/responses" { get Work surveys::api::list }
    "/surveys/responses/{id}" { get Work surveys::api::get }
    "/surveys/responses/{id}/claim" { post Work surveys::api::claim, delete Work surveys::api::give_back }
    "/surveys/responses/{id}/review" { put Work surveys::api::review }
    "/surveys/responses/{id}/confirmation" { post Work surveys::api_answers::confirm }
    "/surveys/responses/{id}/revisions" { get Work surveys::api_answers::revisions }
    "/surveys/responses/{id}/followup" { post Work surveys::followups::api::create }
    "/surveys/mail-answers" { get Work surveys::mail_answers::api::list }
    "/surveys/mail-answers/{id}" { get Work surveys::mail_answers::api::get }
    "/surveys/mail-answers/{id}/confirmation" { post Work surveys::mail_answers::api::confirm }
    "/surveys/mail-answers/{id}/dismissal" { post Work surveys::mail_answers::api::dismiss }
    "/surveys/followups" { get Work surveys::followups::api::list }
    "/surveys/followups/{id}" { get Work surveys::followups::api::get }
    "/surveys/followups/{id}/owner" { put Work surveys::followups::api::give_to }
    "/surveys/followups/{id}/attempts" { post Work surveys::followups::api::attempt }
    "/surveys/followups/{id}/outcome" { put Work surveys::followups::api::end, delete Work surveys::followups::api::reopen }
    "/surveys/followups/{id}/ticket" { post Work surveys::followups::api::open_ticket }
    "/surveys/recovery" { get Manage surveys::api_answers::recovery }
    "/surveys/suppressions" { get Work surveys::suppressions::api::list, post Work surveys::suppressions::api::create }
    "/surveys/suppressions/{id}" { get Work surveys::suppressions::api::get, delete Work surveys::suppressions::api::lift }
    "/surveys/waves" { post Manage surveys::waves::api::create, get Manage surveys::waves::api::list }
    "/surveys/waves/{id}" { get Manage surveys::waves::api::get, put Manage surveys::waves::api::edit }
    "/surveys/waves/{id}/start" { post Manage surveys::waves::api::start }
    "/surveys/waves/{id}/stop" { post Manage surveys::waves::api::stop }
    "/surveys/waves/{id}/sample" { get Manage surveys::waves::api::sample }
    "/surveys/waves/{id}/contacts" { get Manage surveys::waves::api::contacts }
    "/causes" { post Manage surveys::causes::api::create, get Work surveys::causes::api::list }
    "/causes/{id}" {
        get Work surveys::causes::api::get, patch Manage surveys::causes::api::change, delete Manage surveys::causes::api::remove
    }
    "/reports/sla" { get Manage reports::api::sla }
    "/reports/sla/rows" { get Manage reports::api_rows::sla }
    "/reports/nps" { get Manage reports::api::nps }
    "/reports/nps/rows" { get Manage reports::api_rows::nps }
    "/reports/surveys" { get Manage reports::api_surveys::funnel }
    "/reports/surveys/rows" { get Manage reports::api_surveys::rows }
    "/reports/surveys.svg" { get Manage reports::api_surveys::funnel_chart }
    "/reports/causes" { get Manage reports::api_surveys::causes }
    "/reports/causes.svg" { get Manage reports::api_surveys::causes_chart }
    "/reports/digests" { get Manage digest::api::list }
    "/reports/digests/{id}/release" { post Manage digest::api::release }
    "/reports/hours" { get Manage reports::api_week::hours }
    "/reports/hours/rows" { get Manage reports::api_week::rows }
    "/reports/sla.svg" { get Manage reports::api_charts::sla }
    "/reports/nps.svg" { get Manage reports::api_charts::nps }
    "/reports/hours.svg" { get Manage reports::api_charts::hours }
    "/webhooks" { post Administer webhooks::api::create, get Administer webhooks::api::list }
    "/webhooks/deliveries/{id}" { get Administer webhooks::api_deliveries::get }
    "/webhooks/deliveries/{id}/retry" { post Administer webhooks::api_deliveries::retry }
    "/webhooks/{id}" { get Administer webhooks::api::get, patch Administer webhooks::api::change, delete Administer webhooks::api::remove }
    "/webhooks/{id}/rotation" { post Administer webhooks::api::rotate }
    "/webhooks/{id}/ping" { post Administer webhooks::api_deliveries::ping }
    "/webhooks/{id}/deliveries" { get Administer webhooks::api_deliveries::list }
    "/organizations/{id}/domains" { get Work inbound::domains::api::list }
    "/organizations/{id}/domains/{domain}" {
        put KeepAccounts inbound::domains::api::put, delete KeepAccounts inbound::domains::api::remove
    }
    "/inbound" { get Work inbound::api::list }
    "/inbound/{id}" { get Work inbound::api::get }
    "/inbound/{id}/raw" { get Administer inbound::api::raw }
    "/inbound/{id}/release" { post Work inbound::api::release }
    "/inbound/{id}/discard" { post Work inbound::api::discard }
    "/messages/{id}/undo" { post Work tickets::api_messages::undo }
    "/messages/{id}/original" { get Work inbound::api::original }
    "/mailboxes" { post Administer inbound::mailboxes::api::create, get Administer inbound::mailboxes::api::list }
    "/mailboxes/{id}" { get Administer inbound::mailboxes::api::get, patch Administer inbound::mailboxes::api::change }
    "/imports" { post Transfer transfer::api_imports::create, get Transfer transfer::api_imports::list }
    "/imports/{id}" { get Transfer transfer::api_imports::get }
    "/imports/{id}/errors" { get Transfer transfer::api_imports::errors }
    "/exports/{id}" { get Transfer transfer::api_exports::export }
    "/audit" { get Administer audit::api::list }
    "/presence" { put Work presence::api::say, get Work presence::api::list }
    "/presence/alarm" { get Work presence::api::alarm }
    "/presence/alarm/acknowledgement" { post Work presence::api::acknowledge }
    "/shifts" { post Manage shifts::api::create, get Work shifts::api::list }
    "/shifts/gaps" { get Work shifts::api::gaps }
    "/shifts/duty" { get Work shifts::api::duty }
    "/shifts/{id}" { get Work shifts::api::get, put Manage shifts::api::replace, delete Manage shifts::api::remove }
    "/wallboard" { get Work reports::api_wallboard::wallboard }
    "/stream" { get Work live::api::stream }
    "/reports/calls" { get Manage reports::api_calls::report }
    "/reports/calls.svg" { get Manage reports::api_calls::chart }
    "/reports/calls/rows" { get Manage reports::api_calls::rows }
}

/// `/tickets/{id}/notes` as `/tickets` and `/{id}/notes`.
fn under_word(path: &'static str) -> (&'static str, &'static str) {
    let end = path.char_indices().skip(1).find(|(_, letter)| *letter == '/').map_or(path.len(), |(at, _)| at);
    path.split_at(end)
}

/// The API as one scope for each first word: a request is compared with these words, then only with the patterns under its own.
fn api() -> Vec<Scope> {
    let mut words: BTreeMap<&str, Vec<Resource>> = BTreeMap::new();
    for (path, resource) in resources() {
        words.entry(under_word(path).0).or_default().push(resource);
    }
    words.into_iter().map(|(word, resources)| resources.into_iter().fold(web::scope(word), Scope::service)).collect()
}

impl ConfigureHead for Resource {
    fn configure_head(self, routes: impl IntoIterator<Item = (&'static str, actix_web::Route)>) -> Self {
        routes.into_iter().filter(|(method, _)| *method == "get").fold(self, |resource, (_, route)| resource.route(route))
    }
}

/// The pattern of the API that a path matches; `None` where it matches none.
pub fn pattern(path: &str) -> Option<&'static str> {
    static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(TABLE.iter().map(|(_, path, _)| *path)));
    PATTERNS.of(path)
}

/// The right that a route asks for; `None` where there is no such route.
pub fn right(method: &Method, pattern: &str) -> Option<Right> {
    static ROWS: LazyLock<HashMap<&str, Vec<(String, Right)>>> = LazyLock::new(|| {
        let mut rows: HashMap<&str, Vec<(String, Right)>> = HashMap::new();
        for (method, path, right) in TABLE {
            rows.entry(path).or_default().push((method.to_uppercase(), *right));
        }
        rows
    });
    ROWS.get(pattern)?.iter().find(|(name, _)| name == method.as_str()).map(|(_, right)| *right)
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
        .service(
            api()
                .into_iter()
                .fold(web::scope("/api/v1"), Scope::service)
                .wrap(from_fn(auth::gate))
                .default_service(web::to(nowhere)),
        )
        .configure(ops::routes)
        .configure(surveys::pages::routes)
        .configure(calls::hooks::routes)
        .configure(chat::pages::routes)
        .configure(chat::files::routes)
        .configure(chat::socket::routes)
        .default_service(web::to(nowhere));
}
