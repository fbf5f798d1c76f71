//! Who is asking: the bearer token behind a request, and the gate in front of every route.
use super::extract::app;
use super::log::Route;
use super::rate;
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::rights::Right;
use crate::accounts::tokens;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{TokenId, digest};
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A revoked token works on other nodes for at most so long.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Tokens kept in memory at the most.
const KNOWN_MAX: usize = 10_000;

/// The caller that the gate found.
pub fn caller(request: &HttpRequest) -> Result<Arc<Caller>> {
    request.extensions().get::<Arc<Caller>>().cloned().ok_or(Error::Unauthorized("a token is needed"))
}

impl FromRequest for Agent {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let not_a_person = || Error::forbidden("not_a_person", "only an agent's token can do this");
        ready(caller(request).and_then(|caller| caller.as_agent().ok_or_else(not_a_person)))
    }
}

/// [`Caller`] as a handler's argument.
pub struct Who(pub Arc<Caller>);

impl FromRequest for Who {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}

/// A caller, when the database was last asked about them, and when their token ends by itself.
struct Remembered {
    caller: Arc<Caller>,
    asked_at: Instant,
    expires_at: Option<DateTime<Utc>>,
}

/// Tokens seen lately, and when each was last used.
#[derive(Default)]
pub struct Known {
    callers: Mutex<HashMap<Vec<u8>, Remembered>>,
    used: Mutex<HashMap<TokenId, DateTime<Utc>>>,
    rates: rate::Rates<TokenId>,
    /// Tokens that were none, by address.
    guesses: rate::Rates<IpAddr>,
    /// Requests for pages, by address.
    pub strangers: rate::Rates<IpAddr>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    /// Forgets all: after a token or an agent was changed here.
    pub fn forget(&self) {
        locked(&self.callers).clear();
    }

    /// Last uses since the last call, to be written down.
    pub fn take_used(&self) -> HashMap<TokenId, DateTime<Utc>> {
        std::mem::take(&mut *locked(&self.used))
    }

    /// The caller behind a token that was looked up a moment ago and has not expired since.
    fn find(&self, hash: &[u8], now: DateTime<Utc>) -> Option<Arc<Caller>> {
        let callers = locked(&self.callers);
        let known = callers.get(hash)?;
        let is_good = known.asked_at.elapsed() < TRUSTED_FOR && known.expires_at.is_none_or(|at| now < at);
        is_good.then(|| known.caller.clone())
    }

    /// Whether a token was good once, however long ago.
    fn was_good(&self, hash: &[u8]) -> bool {
        locked(&self.callers).contains_key(hash)
    }

    fn remember(&self, hash: Vec<u8>, caller: &Arc<Caller>, expires_at: Option<DateTime<Utc>>) {
        let mut callers = locked(&self.callers);
        if callers.len() >= KNOWN_MAX {
            callers.clear();
        }
        callers.insert(hash, Remembered { caller: caller.clone(), asked_at: Instant::now(), expires_at });
    }
}

async fn identify(app: &Data<App>, request: &HttpRequest) -> Result<Arc<Caller>> {
    let header = request.headers().get(header::AUTHORIZATION).ok_or(Error::Unauthorized("a token is needed"))?;
    let token = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(Error::Unauthorized("the Authorization header must be: Bearer TOKEN"))?;
    who(app, || rate::client(app, request), token).await
}

/// The caller behind a token; whose address it came from is asked where it is unknown.
async fn who(app: &Data<App>, address: impl FnOnce() -> IpAddr, token: &str) -> Result<Arc<Caller>> {
    let hash = digest(token);
    let now = app.clock.now();
    let known = match app.known.find(&hash, now) {
        Some(known) => known,
        None => {
            // Who guesses tokens does not get to ask the database for ever.
            if !app.known.was_good(&hash) {
                let limit = app.config.server.rate_per_minute_per_address;
                app.known.guesses.check(&address(), limit)?;
            }
            let asked = hash.clone();
            let found = app.db.read(move |conn| tokens::find_caller(conn, &asked, now)).await?;
            let (caller, expires_at) = found.ok_or(Error::Unauthorized("the token is unknown, expired or revoked"))?;
            let caller = Arc::new(caller);
            app.known.remember(hash, &caller, expires_at);
            caller
        }
    };
    locked(&app.known.used).insert(known.token_id, now);
    Ok(known)
}

/// The agent behind a token that came otherwise than in a header; one that is none counts against its address.
pub async fn agent(app: &Data<App>, address: IpAddr, token: &str) -> Result<(Agent, TokenId)> {
    let caller = match who(app, || address, token).await {
        Err(error @ Error::Unauthorized(_)) => {
            app.known.guesses.count(address, app.config.server.rate_per_minute_per_address)?;
            return Err(error);
        }
        other => other?,
    };
    let agent = caller.as_agent().filter(|_| caller.may(Right::Work));
    let agent = agent.ok_or_else(|| Error::forbidden("missing_right", "only an agent's token can do this"))?;
    Ok((agent, caller.token_id))
}

/// The gate: finds the caller, asks the table of rights for the matched route, counts against the rate.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match admit(&request).await {
        Ok(rate) => {
            let mut response = next.call(request).await?;
            rate.write(response.headers_mut());
            Ok(response.map_into_left_body())
        }
        Err((error, standing)) => {
            let response = refusal(request.request(), &error, standing);
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

/// The answer to who is not let in; a token that is none counts against its address.
fn refusal(request: &HttpRequest, error: &Error, standing: Option<rate::Standing>) -> HttpResponse {
    let standing = match (error, app(request)) {
        (Error::Unauthorized(_), Ok(app)) => {
            let limit = app.config.server.rate_per_minute_per_address;
            match app.known.guesses.count(rate::client(app, request), limit) {
                Ok(standing) => Some(standing),
                Err(too_many) => return too_many.error_response(),
            }
        }
        _ => standing,
    };
    let mut response = error.error_response();
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    response
}

/// Lets a request in, or says why not and, where its token was counted, where that stands.
async fn admit(request: &ServiceRequest) -> Result<rate::Standing, (Error, Option<rate::Standing>)> {
    let app = app(request.request()).map_err(|error| (error, None))?.clone();
    let caller = identify(&app, request.request()).await.map_err(|error| (error, None))?;
    let counted = app.known.rates.count(caller.token_id, app.config.server.rate_per_minute);
    let standing = counted.map_err(|error| (error, None))?;
    permit(request, caller).map_err(|error| (error, Some(standing)))?;
    Ok(standing)
}

fn permit(request: &ServiceRequest, caller: Arc<Caller>) -> Result<()> {
    let route = request.extensions().get::<Route>().cloned();
    let pattern = route.and_then(|route| route.0).ok_or(Error::NotFound("path"))?;
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    // A path that exists with a method that does not goes on to its 405.
    if let Some(right) = crate::routes::right(method, &pattern)
        && !caller.may(right)
    {
        let text = format!("this needs the right {right}; see who may do what in docs/RIGHTS.md");
        return Err(Error::forbidden("missing_right", text));
    }
    request.extensions_mut().insert(caller);
    Ok(())
}
