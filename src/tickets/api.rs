//! `/tickets`: open, list, read, edit, hand around, close.
use super::commands::{self, Change, Whole};
use super::commands_intake::{self, NewMessage, NewTicket, Sender};
use super::dry_run::{self, TicketChanged};
use super::model::{Channel, Priority, Status};
use super::queries::{self, Filter, PromiseState, Sort};
use super::related::wire::{LinkOut, MergedOut};
use super::search;
use super::wire::{FromIn, MessageOut, Sent, SurveyOut, TicketFull, TicketIn, TicketOut, TicketPatch};
use super::wire_verbs::{AssigneeIn, HandOverIn};
use crate::accounts::caller::Agent;
use crate::accounts::contacts::model::{normal_email, normal_phone};
use crate::app::App;
use crate::attachments::{commands::attach, queries::listed};
use crate::db::{Conn, types::Json};
use crate::error::{Error, Result};
use crate::fields::values::wanted;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::{AgentId, ContactId, OrganizationId, TeamId, TicketId};
use crate::seen::Seen;
use crate::sla::dry_run::DryRunParams;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The answer to every verb on a ticket: the ticket as it is now.
pub(super) fn answer(whole: Whole, now: DateTime<Utc>) -> Result<Answer> {
    let ticket = TicketOut::of(whole, now);
    Ok(Answer::ok(&ticket)?.version(ticket.version()))
}

fn sender(from: FromIn) -> Result<Sender> {
    let FromIn { contact_id, email, phone, name } = from;
    match (contact_id, email, phone) {
        (Some(id), None, None) => Ok(Sender::Contact(id)),
        (None, Some(email), None) => normal_email(&email)
            .map(|email| Sender::Email(email, name))
            .ok_or_else(|| Error::field("from.email", "email", "is not a mail address")),
        (None, None, Some(phone)) => normal_phone(&phone)
            .map(|phone| Sender::Phone(phone, name))
            .ok_or_else(|| Error::field("from.phone", "phone", "is not a number in international form such as +4930123456")),
        _ => Err(Error::field("from", "one_of", "must have exactly one of contact_id, email and phone")),
    }
}

/// Open a ticket.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = TicketIn,
    responses((status = 201, description = "Opened", body = TicketOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<TicketIn>) -> Result<HttpResponse> {
    let TicketIn {
        channel,
        direction,
        subject,
        body,
        from,
        attachments,
        fields,
        priority,
        organization_id,
        team_id,
        assignee_id,
        tags,
        received_at,
        mail_message_id,
    } = post.body;
    let message = body.map(|body| NewMessage { body, mail_message_id });
    let from = sender(from)?;
    let new = NewTicket {
        channel,
        direction,
        subject,
        priority,
        from,
        organization_id,
        team_id,
        assignee_id,
        tags,
        received_at,
        message,
        follows_id: None,
    };
    let desk = app.clone();
    post.once
        .run_again(&app, now, move |conn| {
            let mut whole = commands_intake::create(conn, &who.0, new.clone(), now)?;
            commands::fill(conn, &who.0, &mut whole.ticket, fields.clone(), now)?;
            attach(conn, &desk.config.attachments, &who.0, (whole.ticket.id, whole.message_id), &attachments, now)?;
            let ticket = TicketOut::of(whole, now);
            Ok(Answer::created(format!("/api/v1/tickets/{}", ticket.id()), &ticket)?.version(ticket.version()))
        })
        .await
}

/// Which tickets to list, and in which order.
#[derive(Debug, Default, Serialize, Deserialize, Validate, utoipa::IntoParams, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketParams {
    /// Only this status.
    status: Option<Status>,
    /// true: all that are not closed; false: only closed ones.
    active: Option<bool>,
    /// Only this channel.
    channel: Option<Channel>,
    /// Only this priority.
    priority: Option<Priority>,
    /// Only this team's.
    team_id: Option<TeamId>,
    /// Only this agent's.
    assignee_id: Option<AgentId>,
    /// true: only those nobody is responsible for.
    unassigned: Option<bool>,
    /// Only this organization's.
    organization_id: Option<OrganizationId>,
    /// Only this contact's.
    contact_id: Option<ContactId>,
    /// Only those with this tag.
    #[validate(length(max = 50))]
    #[param(max_length = 50)]
    #[schema(max_length = 50)]
    tag: Option<String>,
    /// Only those with this value in a custom field: `KEY:VALUE`, several separated by commas; `KEY:` for those without a value.
    #[validate(length(min = 1, max = 2_000))]
    #[param(max_length = 2_000, pattern = "^[a-z][a-z0-9_]{0,49}:", example = "registry:DENIC")]
    #[schema(max_length = 2_000, pattern = "^[a-z][a-z0-9_]{0,49}:", examples("registry:DENIC"))]
    field: Option<String>,
    /// Only those whose promises stand so.
    promise: Option<PromiseState>,
    /// Received at or after this instant.
    received_from: Option<DateTime<Utc>>,
    /// Received before this instant.
    received_to: Option<DateTime<Utc>>,
    /// Only the one with this number.
    number: Option<i64>,
    /// Only those whose subject, together with one of their messages, holds all of these words. `"a phrase"`, `-without`, `begin*`.
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200, example = "transfer -dns")]
    #[schema(min_length = 1, max_length = 200, examples("transfer -dns"))]
    q: Option<String>,
    /// The order; where it is left out, `due`, and with `q` `relevance`.
    sort: Option<Sort>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    #[schema(ignore)]
    limit: Option<u32>,
    /// `next_cursor` of the page before, with the same order.
    #[schema(ignore)]
    cursor: Option<String>,
}

impl TicketParams {
    /// The same tickets, at another page.
    pub fn at(self, page: PageParams) -> Self {
        Self { limit: page.limit, cursor: page.cursor, ..self }
    }
}

/// List tickets.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(TicketParams),
    responses((status = 200, description = "A page of tickets", body = Page<TicketOut>)))]
pub async fn list(app: Data<App>, Now(now): Now, params: Params<TicketParams>, request: HttpRequest) -> Result<HttpResponse> {
    page_of(&app, now, params.0, &request).await
}

/// A page of the tickets that the parameters ask for.
pub async fn page_of(app: &App, now: DateTime<Utc>, p: TicketParams, request: &HttpRequest) -> Result<HttpResponse> {
    let fields = match p.field {
        Some(field) => app.db.read(move |conn| wanted(conn, Some(&field))).await?,
        None => Vec::new(),
    };
    let filter = Filter {
        status: p.status,
        is_active: p.active,
        channel: p.channel,
        priority: p.priority,
        team_id: p.team_id,
        assignee_id: p.assignee_id,
        is_unassigned: p.unassigned,
        organization_id: p.organization_id,
        contact_id: p.contact_id,
        tag: p.tag,
        promise: p.promise,
        received_from: p.received_from,
        received_to: p.received_to,
        number: p.number,
        fields,
    };
    let sort = p.sort.unwrap_or(if p.q.is_some() { Sort::Relevance } else { Sort::Due });
    let limit = p.limit.unwrap_or(LIMIT_DEFAULT);
    if let Some(text) = p.q {
        let after = read_cursor(p.cursor.as_deref())?;
        let found = move |conn: &mut _| search::queries::list(conn, &filter, &text, (sort, after), limit as usize, now);
        let (rows, next) = app.db.read(found).await?;
        return Ok(Page::ending(rows, next)?.map(|row| TicketOut::found(row, now)).respond(request));
    }
    if sort == Sort::Relevance {
        return Err(Error::field("sort", "needs_q", "relevance is an order of what q finds"));
    }
    let after = read_cursor(p.cursor.as_deref())?;
    let rows = app.db.glance(move |conn| queries::list(conn, &filter, (sort, after), i64::from(limit) + 1, now)).await?;
    let page = Page::of(rows, limit, |row| row.cursor(sort))?;
    Ok(page.map(|row| TicketOut::listed(row, now)).respond(request))
}

/// One ticket with messages, promises and surveys.
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", params(("id" = TicketId, Path)),
    responses((status = 200, description = "The ticket", body = TicketFull)))]
pub async fn get(app: Data<App>, Now(now): Now, id: Id<TicketId>) -> Result<HttpResponse> {
    let full = app.db.glance(move |conn| queries::full(conn, id.0)).await?;
    let queries::Full { ticket, contact_name, promises, clocks, messages, surveys, related } = full;
    let version = ticket.version;
    let survey = |(close_number, outcome, due_at, sent_at, score): queries::SurveyRow| SurveyOut {
        close_number,
        outcome: outcome.0,
        due_at: due_at.0,
        sent_at: sent_at.map(|at| at.0),
        score,
    };
    let message = |(row, files, bounce, cc, undone_at): queries::Said| {
        let cc = cc.map(Json::to).transpose()?;
        let sent = Sent { bounce: bounce.map(Json::to).transpose()?, cc, undone_at: undone_at.map(|at| at.0) };
        Ok(MessageOut::on(id.0, row, listed(files)?, sent))
    };
    let messages = messages.into_iter().map(message).collect::<Result<Vec<_>>>()?;
    let full = TicketFull {
        ticket: TicketOut::at(ticket, &promises, Some(&clocks), now),
        contact_name,
        messages,
        surveys: surveys.into_iter().map(survey).collect(),
        links: related.links.into_iter().map(LinkOut::from).collect(),
        merged: related.merged.into_iter().map(MergedOut::from).collect(),
    };
    Ok(Answer::ok(&full)?.version(version).into())
}

/// Change subject, priority, status or tags.
#[utoipa::path(patch, path = "/api/v1/tickets/{id}", tag = "tickets", request_body = TicketPatch,
    params(("id" = TicketId, Path), DryRunParams), responses((status = 200, description = "As it is now", body = TicketChanged)))]
pub async fn change(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    params: Params<DryRunParams>,
    body: Body<TicketPatch>,
) -> Result<HttpResponse> {
    let TicketPatch { subject, priority, status, tags, fields } = body.0;
    let change = Change { subject, priority, status, tags, fields };
    let verb = move |conn: &mut Conn| commands::change(conn, &agent, id.0, seen, change, now);
    dry_run::carry_out(&app, id.0, params.0.dry_run, now, verb).await
}

/// Make someone, or nobody, responsible.
#[utoipa::path(put, path = "/api/v1/tickets/{id}/assignee", tag = "tickets", request_body = AssigneeIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "As it is now", body = TicketOut)))]
pub async fn assign(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    body: Body<AssigneeIn>,
) -> Result<HttpResponse> {
    let to = body.0.agent_id;
    let whole = app.db.write(move |conn| commands::assign(conn, &agent, id.0, seen, to, now)).await?;
    Ok(answer(whole, now)?.into())
}

/// Hand a ticket to another team, or to none.
#[utoipa::path(put, path = "/api/v1/tickets/{id}/team", tag = "tickets", request_body = HandOverIn,
    params(("id" = TicketId, Path), DryRunParams), responses((status = 200, description = "As it is now", body = TicketChanged)))]
pub async fn hand_over(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    params: Params<DryRunParams>,
    body: Body<HandOverIn>,
) -> Result<HttpResponse> {
    let to = body.0.team_id;
    let verb = move |conn: &mut Conn| commands::hand_over(conn, &agent, id.0, seen, to, now);
    dry_run::carry_out(&app, id.0, params.0.dry_run, now, verb).await
}

/// Close a ticket; its contact is invited to a survey later.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/closure", tag = "tickets", request_body = Nothing,
    params(("id" = TicketId, Path)), responses((status = 200, description = "As it is now", body = TicketOut)))]
pub async fn close(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    let desk = app.clone();
    post.once.run_again(&app, now, move |conn| answer(commands::close(conn, &desk.config, &agent, id.0, seen, now)?, now)).await
}

/// Open a closed ticket again; the survey about that close is not sent.
#[utoipa::path(delete, path = "/api/v1/tickets/{id}/closure", tag = "tickets", params(("id" = TicketId, Path)),
    responses((status = 200, description = "As it is now", body = TicketOut)))]
pub async fn reopen(app: Data<App>, agent: Agent, Now(now): Now, id: Id<TicketId>, seen: Seen) -> Result<HttpResponse> {
    let whole = app.db.write(move |conn| commands::reopen(conn, &agent, id.0, seen, now)).await?;
    Ok(answer(whole, now)?.into())
}
