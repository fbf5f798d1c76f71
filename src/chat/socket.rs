//! `/chat/ws` for visitors and `/chat/agent/ws` for agents: who they are comes in the first frame, what they missed by its number.
use super::commands::{self, Asking, Said, Speaker};
use super::commands_ends as ends;
use super::identity::{self, Identity};
use super::model::ChatSide;
use super::queries;
use super::rooms::{self, Counted};
use super::socket_line::{Line, Over};
use super::socket_staff;
use super::socket_talk::{Talks, hello};
use super::wire_socket::{DeskSays, VisitorSays};
use crate::app::App;
use crate::config::Site;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::address::Network;
use crate::http::rate;
use crate::ids::{ChatId, ClientMessageId, VisitorId};
use crate::live::Follower;
use actix_web::http::header;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use actix_ws::{AggregatedMessageStream, MessageStream, Session};
use std::net::IpAddr;

/// The largest frame, in bytes: a message of 4,000 characters, each escaped twice over.
const FRAME_MAX_BYTES: usize = 65_536;

/// Both doors.
pub fn routes(config: &mut ServiceConfig) {
    let only_get = || async { Error::MethodNotAllowed("GET".into()).error_response() };
    config
        .service(web::resource("/chat/ws").route(web::get().to(visitor)).default_service(web::to(only_get)))
        .service(web::resource("/chat/agent/ws").route(web::get().to(agent)).default_service(web::to(only_get)));
}

fn refused(code: &'static str, message: &str) -> Error {
    Error::forbidden(code, message)
}

/// The site that a connection comes from. Browsers say it, and their scripts cannot say otherwise.
pub(super) fn site<'a>(app: &'a App, request: &HttpRequest) -> Result<&'a Site> {
    let origin = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok()).unwrap_or("");
    let found = app.config.chat.sites.iter().find(|site| site.origin == origin);
    found.ok_or_else(|| refused("origin_not_allowed", "chats are not offered on this site"))
}

/// The address that a request comes from, where it is served.
pub(super) fn served(app: &App, request: &HttpRequest) -> Result<IpAddr> {
    let address = rate::client(app, request);
    let blocked: Vec<Network> = app.config.chat.blocked.iter().filter_map(|text| text.parse().ok()).collect();
    if blocked.iter().any(|network| network.contains(address)) {
        return Err(refused("blocked", "this address is not served"));
    }
    Ok(address)
}

fn admit(app: &Data<App>, request: &HttpRequest) -> Result<(Counted, IpAddr)> {
    let address = served(app, request)?;
    Ok((Counted::admit(app, address)?, address))
}

fn shake_hands(request: &HttpRequest, body: Payload) -> Result<(HttpResponse, Session, AggregatedMessageStream)> {
    let (response, session, stream): (_, _, MessageStream) = actix_ws::handle(request, body)
        .map_err(|error| Error::Malformed { code: "not_a_websocket", message: format!("this is for WebSockets: {error}") })?;
    let stream = stream.max_frame_size(FRAME_MAX_BYTES).aggregate_continuations().max_continuation_size(FRAME_MAX_BYTES);
    Ok((response, session, stream))
}

async fn visitor(app: Data<App>, request: HttpRequest, body: Payload) -> Result<HttpResponse> {
    let site = site(&app, &request)?.clone();
    let (counted, address) = admit(&app, &request)?;
    let (response, session, mut stream) = shake_hands(&request, body)?;
    actix_web::rt::spawn(async move {
        let _counted = counted;
        let line = Line::new(app.clone(), session, ChatSide::Visitor);
        let mut guest = Guest { line, site, address, visitor: VisitorId::new(), identity: None, is_open: false };
        let over = match Box::pin(guest.begin(&mut stream)).await {
            Ok(follower) => guest.talk(stream, follower).await,
            Err(over) => over,
        };
        Box::pin(guest.depart(over)).await;
        guest.line.close(over).await;
    });
    Ok(response)
}

async fn agent(app: Data<App>, request: HttpRequest, body: Payload) -> Result<HttpResponse> {
    let (counted, address) = admit(&app, &request)?;
    let (response, session, mut stream) = shake_hands(&request, body)?;
    actix_web::rt::spawn(async move {
        let _counted = counted;
        let mut line = Line::new(app.clone(), session, ChatSide::Agent);
        let over = match Box::pin(socket_staff::begin(&mut line, &mut stream, address)).await {
            Ok((agent, follower)) => socket_staff::Staff { line: &mut line, agent }.talk(stream, follower).await,
            Err(over) => over,
        };
        line.close(over).await;
    });
    Ok(response)
}

/// A visitor on the line.
struct Guest {
    line: Line,
    site: Site,
    address: IpAddr,
    visitor: VisitorId,
    identity: Option<Identity>,
    is_open: bool,
}

impl Talks for Guest {
    fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    async fn hear(&mut self, text: &str) -> Result<(), Over> {
        match Line::read::<VisitorSays>(text) {
            Ok(VisitorSays::Ping {}) => self.line.tell(&DeskSays::Pong {}).await,
            Ok(VisitorSays::Typing {}) => {
                self.line.types().await;
                Ok(())
            }
            Ok(says) => {
                let id = match &says {
                    VisitorSays::Message { id, .. } | VisitorSays::Leave { id, .. } => Some(*id),
                    _ => None,
                };
                match self.act(says).await {
                    Ok(Some(seq)) => self.acknowledge(id, seq).await,
                    Ok(None) => self.line.pull().await,
                    Err(error) => self.line.refuse(id, &error).await,
                }
            }
            Err(error) => self.line.refuse(None, &error).await,
        }
    }
}

impl Guest {
    /// Says who they are, and shows what there is.
    async fn begin(&mut self, stream: &mut AggregatedMessageStream) -> Result<Follower, Over> {
        let text = hello(stream).await?;
        match self.welcome(&text).await {
            Ok((follower, signed)) => {
                let app = self.line.app.clone();
                let (open, company) = (self.is_open, app.config.company.name.as_str());
                let patience_seconds = app.config.chat.patience_seconds;
                self.line.tell(&DeskSays::Welcome { visitor: Some(&signed), open, company, patience_seconds }).await?;
                Ok(follower)
            }
            Err(error) => {
                self.line.refuse(None, &error).await?;
                Err(Over::Refused)
            }
        }
    }

    async fn welcome(&mut self, text: &str) -> Result<(Follower, String)> {
        let app = self.line.app.clone();
        let VisitorSays::Hello { visitor, identity: token, chat, after } = Line::read::<VisitorSays>(text)? else {
            return Err(Error::Malformed { code: "no_hello", message: "the first frame must be a hello".into() });
        };
        let (now, key) = (app.clock.now(), rooms::key(&app).await?);
        let origin = self.site.origin.as_str();
        self.visitor = match (token, visitor) {
            (Some(token), _) => {
                let Some(identity) = identity::verify(&self.site.secret, &token, now) else {
                    tracing::warn!(event = "forged_identity", origin, "a visitor without a right identity was refused");
                    return Err(refused("bad_identity", "the identity of this visitor is not right, or has run out"));
                };
                let subject = identity.subject.clone();
                self.identity = Some(identity);
                identity::visitor_of(&key, origin, &subject).ok_or_else(|| Error::internal("no visitor of a subject"))?
            }
            (None, Some(text)) => identity::read(&key, origin, &text, now).ok_or_else(|| {
                tracing::warn!(event = "forged_visitor", origin, "a visitor without a right signature was refused");
                refused("bad_visitor", "this visitor is not known, or was too long ago")
            })?,
            (None, None) => VisitorId::new(),
        };
        let signed = identity::sign(&key, origin, self.visitor, now).ok_or_else(|| Error::internal("no signature"))?;
        // First the follower: what is written from now on is heard, what was before is read.
        let follower = Follower::join(&app, None).await?;
        let (visitor, team) = (self.visitor, self.team());
        let (open, newest, is_blocked) = app
            .db
            .read(move |conn| {
                let known = queries::visitor(conn, visitor)?;
                let is_blocked = known.is_some_and(|known| known.blocked_at.is_some());
                Ok((commands::door(conn, team.as_deref(), now)?.1, queries::newest_of(conn, visitor)?, is_blocked))
            })
            .await?;
        if is_blocked {
            return Err(refused("blocked", "this visitor is not served"));
        }
        self.is_open = open;
        if let Some(row) = newest.filter(|row| row.state.0.is_open() || row.can_be_left(now) || chat == Some(row.id)) {
            self.line.enter(row.id, row.ticket_id, if chat == Some(row.id) { after } else { 0 });
            if row.state.0.is_open() {
                self.arrive(row.id).await?;
            }
        }
        Ok((follower, signed))
    }

    fn team(&self) -> Option<String> {
        Some(self.site.team.clone()).filter(|team| !team.is_empty())
    }

    async fn arrive(&self, chat: ChatId) -> Result<()> {
        let (app, line) = (self.line.app.clone(), self.line.id);
        self.line.app.db.write(move |conn| ends::arrive(conn, &app.config, chat, line).map(|_| ())).await
    }

    /// Lets one who waits come back for a while.
    async fn depart(&mut self, over: Over) {
        // A server that stops says nothing about the visitor.
        let (Some((chat, _)), false) = (self.line.chat, over == Over::Stopping) else { return };
        let (app, line, now) = (self.line.app.clone(), self.line.id, self.line.app.clock.now());
        let written = self.line.app.db.write(move |conn| ends::depart(conn, &app.config, chat, line, now)).await;
        if let Err(error) = written {
            tracing::warn!(%error, "that a visitor went away was not written; the wait ends by its time");
        }
    }

    /// What a visitor asks again costs the desk: it is counted.
    fn count_asking(&self) -> Result<()> {
        let (app, settings) = (&self.line.app, &self.line.app.config.chat);
        app.rooms.of_address.count(self.address, settings.asks_per_minute_per_address)?;
        app.rooms.of_site.count(self.site.origin.clone(), settings.asks_per_minute_per_site)?;
        Ok(())
    }

    fn asking(&self, name: Option<String>, email: Option<String>, message: Option<(ClientMessageId, String)>) -> Asking {
        Asking {
            visitor: self.visitor,
            origin: self.site.origin.clone(),
            team: self.team(),
            identity: self.identity.clone(),
            name: name.filter(|name| !name.trim().is_empty() && !name.contains('\0')),
            email: email.filter(|email| !email.trim().is_empty()),
            message,
            line: self.line.id,
        }
    }

    /// Does what was said; the place of a message that was said in the chat.
    async fn act(&mut self, says: VisitorSays) -> Result<Option<i32>> {
        let app = self.line.app.clone();
        let (desk, now) = (app.clone(), app.clock.now());
        match says {
            VisitorSays::Ask { name, email, id, body } => {
                self.count_asking()?;
                let message = body.map(|body| (id.unwrap_or_else(ClientMessageId::new), body));
                let asking = self.asking(name, email, message);
                let row = app.db.write(move |conn| commands::ask(conn, &desk.config, &asking, now)).await?;
                self.line.enter(row.id, row.ticket_id, 0);
                Ok(None)
            }
            VisitorSays::Leave { id, body, email, name } => {
                self.count_asking()?;
                let asking = self.asking(name, email, Some((id, body)));
                let row = app.db.write(move |conn| commands::leave(conn, &desk.config, &asking, now)).await?;
                self.line.enter(row.id, row.ticket_id, 0);
                Ok(Some(row.last_seq))
            }
            VisitorSays::Message { id, body } => {
                self.line.count_message()?;
                let chat = self.chat()?;
                let said = Said { id, body, files: Vec::new() };
                let say = move |conn: &mut Conn| commands::say(conn, &desk.config, (chat, Speaker::Visitor), said, now);
                Ok(Some(app.db.write(say).await?.seq))
            }
            VisitorSays::Address { email, name } => {
                self.count_asking()?;
                let chat = self.chat()?;
                app.db.write(move |conn| commands::tell_address(conn, chat, &email, name.as_deref(), now)).await?;
                Ok(None)
            }
            VisitorSays::End {} => {
                let chat = self.chat()?;
                app.db.write(move |conn| ends::end_by_visitor(conn, &desk.config, chat, now)).await?;
                Ok(None)
            }
            VisitorSays::Hello { .. } => {
                Err(Error::Malformed { code: "hello_again", message: "a hello comes once, and first".into() })
            }
            VisitorSays::Typing {} | VisitorSays::Ping {} => Ok(None),
        }
    }

    fn chat(&self) -> Result<ChatId> {
        self.line.chat.map(|chat| chat.0).ok_or_else(|| Error::conflict("no_chat", "there is no chat: ask for one first"))
    }

    async fn acknowledge(&mut self, id: Option<ClientMessageId>, seq: i32) -> Result<(), Over> {
        if let Some(id) = id {
            self.line.tell(&DeskSays::Ack { id, seq }).await?;
        }
        self.line.pull().await
    }
}
