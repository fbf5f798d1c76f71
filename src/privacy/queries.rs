//! Everything that the desk keeps about one person, as one document.
use crate::db::schema::{
    attachments, calls, contact_emails, contact_phones, contacts, events, mails, messages, organizations, survey_invitations,
    survey_mail_answers, survey_responses, survey_revisions, survey_suppressions, ticket_fields, ticket_tags, tickets,
};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{
    AttachmentId, CallId, ContactId, InvitationId, MailId, MessageId, OrganizationId, ResponseId, TicketId, WaveId,
};
use crate::surveys::model::{Outcome, SurveyKind};
use crate::tickets::model::{Channel, Direction, Priority, Status};
use crate::timeline::Kind;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Tickets of one statement.
const TICKETS_AT_ONCE: usize = 500;

fn at(time: Option<Time>) -> Option<DateTime<Utc>> {
    time.map(|time| time.0)
}

/// The document of a contact: fifteen queries and six for each five hundred tickets.
pub fn document(conn: &mut Conn, id: ContactId, now: DateTime<Utc>) -> Result<Value> {
    let contact = contact(conn, id)?;
    let own: Vec<TicketId> =
        tickets::table.filter(tickets::contact_id.eq(id)).order(tickets::number).select(tickets::id).load(conn)?;
    let mut listed = Vec::with_capacity(own.len());
    for chunk in own.chunks(TICKETS_AT_ONCE) {
        listed.extend(of_tickets(conn, chunk)?);
    }
    Ok(json!({
        "exported_at": now,
        "contact": contact,
        "tickets": listed,
        "surveys": surveys(conn, id)?,
        "calls": calls_of(conn, id)?,
        "letters": letters(conn, id)?,
        "history": history(conn, id)?,
    }))
}

type ContactColumns = (String, Option<OrganizationId>, Option<String>, String, Option<Time>, Time, Time);

fn contact(conn: &mut Conn, id: ContactId) -> Result<Value> {
    use contacts as c;
    let found: Option<ContactColumns> = c::table
        .find(id)
        .select((c::name, c::organization_id, c::time_zone, c::language, c::surveys_stopped_at, c::created_at, c::updated_at))
        .first(conn)
        .optional()?;
    let (name, organization_id, time_zone, language, stopped_at, created_at, updated_at) =
        found.ok_or(Error::NotFound("contact"))?;
    let organization: Option<String> = match organization_id {
        Some(id) => organizations::table.find(id).select(organizations::name).first(conn).optional()?,
        None => None,
    };
    let emails: Vec<String> = contact_emails::table
        .filter(contact_emails::contact_id.eq(id))
        .order(contact_emails::position)
        .select(contact_emails::address)
        .load(conn)?;
    let phones: Vec<String> = contact_phones::table
        .filter(contact_phones::contact_id.eq(id))
        .order(contact_phones::position)
        .select(contact_phones::number)
        .load(conn)?;
    let suppressed: Vec<(String, String, Time, Option<Time>)> = survey_suppressions::table
        .filter(survey_suppressions::address.eq_any(&emails))
        .order(survey_suppressions::created_at)
        .select((
            survey_suppressions::address,
            survey_suppressions::detail,
            survey_suppressions::created_at,
            survey_suppressions::lifted_at,
        ))
        .load(conn)?;
    let suppressed: Vec<Value> = suppressed
        .into_iter()
        .map(|(address, detail, since, lifted)| json!({ "address": address, "detail": detail, "created_at": since.0, "lifted_at": at(lifted) }))
        .collect();
    Ok(json!({
        "id": id,
        "name": name,
        "organization_id": organization_id,
        "organization": organization,
        "emails": emails,
        "phones": phones,
        "time_zone": time_zone,
        "language": language,
        "surveys_stopped_at": at(stopped_at),
        "suppressions": suppressed,
        "created_at": created_at.0,
        "updated_at": updated_at.0,
    }))
}

type TicketColumns =
    (TicketId, i64, String, Named<Channel>, Named<Direction>, Named<Status>, Named<Priority>, Time, Time, Option<Time>);
type MessageColumns = (TicketId, MessageId, String, bool, String, Time);
type FileColumns = (Option<MessageId>, AttachmentId, String, String, i64, Time);
type EventColumns = (Option<TicketId>, Named<Kind>, String, Time, Json);

/// Lists of values by the ticket that they belong to.
fn by_ticket(rows: impl IntoIterator<Item = (TicketId, Value)>) -> HashMap<TicketId, Vec<Value>> {
    let mut lists: HashMap<TicketId, Vec<Value>> = HashMap::new();
    for (ticket, value) in rows {
        lists.entry(ticket).or_default().push(value);
    }
    lists
}

fn of_tickets(conn: &mut Conn, ids: &[TicketId]) -> Result<Vec<Value>> {
    use tickets as t;
    let rows: Vec<TicketColumns> = t::table
        .filter(t::id.eq_any(ids))
        .order(t::number)
        .select((
            t::id,
            t::number,
            t::subject,
            t::channel,
            t::direction,
            t::status,
            t::priority,
            t::received_at,
            t::created_at,
            t::closed_at,
        ))
        .load(conn)?;
    let tags: Vec<(TicketId, String)> = ticket_tags::table
        .filter(ticket_tags::ticket_id.eq_any(ids))
        .select((ticket_tags::ticket_id, ticket_tags::tag))
        .load(conn)?;
    let values: Vec<(TicketId, String, String)> = ticket_fields::table
        .filter(ticket_fields::ticket_id.eq_any(ids))
        .select((ticket_fields::ticket_id, ticket_fields::key, ticket_fields::value))
        .load(conn)?;
    let said: Vec<MessageColumns> = messages::table
        .filter(messages::ticket_id.eq_any(ids))
        .order((messages::at, messages::id))
        .select((
            messages::ticket_id,
            messages::id,
            messages::kind,
            messages::contact_id.is_not_null(),
            messages::body,
            messages::at,
        ))
        .load(conn)?;
    let keys: Vec<MessageId> = said.iter().map(|row| row.1).collect();
    let mut files: HashMap<MessageId, Vec<Value>> = HashMap::new();
    for chunk in keys.chunks(TICKETS_AT_ONCE) {
        let found: Vec<FileColumns> = attachments::table
            .filter(attachments::message_id.eq_any(chunk))
            .select((
                attachments::message_id,
                attachments::id,
                attachments::file_name,
                attachments::media_type,
                attachments::size_bytes,
                attachments::created_at,
            ))
            .load(conn)?;
        for (message, id, name, media_type, size, came) in found {
            let file = json!({ "id": id, "file_name": name, "media_type": media_type, "size_bytes": size, "created_at": came.0 });
            if let Some(message) = message {
                files.entry(message).or_default().push(file);
            }
        }
    }
    let told: Vec<EventColumns> = events::table
        .filter(events::ticket_id.eq_any(ids))
        .order(events::id)
        .select((events::ticket_id, events::kind, events::actor, events::at, events::data))
        .load(conn)?;
    let mut tags = by_ticket(tags.into_iter().map(|(id, tag)| (id, json!(tag))));
    let mut values = by_ticket(values.into_iter().map(|(id, key, value)| (id, json!({ "key": key, "value": value }))));
    let mut said = by_ticket(said.into_iter().map(|(ticket, id, kind, by_contact, body, when)| {
        let files = files.remove(&id).unwrap_or_default();
        (ticket, json!({ "id": id, "kind": kind, "by_contact": by_contact, "body": body, "at": when.0, "files": files }))
    }));
    let mut told = by_ticket(told.into_iter().filter_map(|(ticket, kind, actor, when, data)| {
        Some((ticket?, json!({ "kind": kind.0, "actor": actor, "at": when.0, "data": data.0 })))
    }));
    let take = |lists: &mut HashMap<TicketId, Vec<Value>>, id| lists.remove(&id).unwrap_or_default();
    let listed =
        rows.into_iter().map(|(id, number, subject, channel, direction, status, priority, received, created, closed)| {
            json!({
                "id": id,
                "number": number,
                "subject": subject,
                "channel": channel.0,
                "direction": direction.0,
                "status": status.0,
                "priority": priority.0,
                "received_at": received.0,
                "created_at": created.0,
                "closed_at": at(closed),
                "tags": take(&mut tags, id),
                "fields": take(&mut values, id),
                "messages": take(&mut said, id),
                "history": take(&mut told, id),
            })
        });
    Ok(listed.collect())
}

type AskedColumns =
    (InvitationId, Named<SurveyKind>, Option<TicketId>, Option<WaveId>, Named<Outcome>, Option<Time>, Option<Time>);
type AnswerColumns = (ResponseId, i32, String, Time, Option<Time>, bool);

/// What the person was asked, and answered, with what the answers said before.
fn surveys(conn: &mut Conn, id: ContactId) -> Result<Vec<Value>> {
    use survey_invitations as i;
    use survey_responses as r;
    let rows: Vec<(AskedColumns, Option<AnswerColumns>)> = i::table
        .left_join(r::table.on(r::invitation_id.eq(i::id)))
        .filter(i::contact_id.eq(id))
        .order((i::closed_at, i::id))
        .select((
            (i::id, i::kind, i::ticket_id, i::wave_id, i::outcome, i::sent_at, i::expires_at),
            (r::id, r::score, r::comment, r::answered_at, r::edited_at, r::is_counted).nullable(),
        ))
        .load(conn)?;
    let answers: Vec<ResponseId> = rows.iter().filter_map(|row| row.1.as_ref().map(|answer| answer.0)).collect();
    let mut earlier: HashMap<ResponseId, Vec<Value>> = HashMap::new();
    for chunk in answers.chunks(TICKETS_AT_ONCE) {
        use survey_revisions as v;
        let found: Vec<(ResponseId, i32, String, Time)> = v::table
            .filter(v::response_id.eq_any(chunk))
            .order((v::response_id, v::revision))
            .select((v::response_id, v::score, v::comment, v::at))
            .load(conn)?;
        for (id, score, comment, when) in found {
            earlier.entry(id).or_default().push(json!({ "score": score, "comment": comment, "at": when.0 }));
        }
    }
    let mut by_mail = answers_by_mail(conn, id)?;
    let listed = rows.into_iter().map(|((id, kind, ticket, wave, outcome, sent, expires), answer)| {
        let answer = answer.map(|(id, score, comment, answered, edited, is_counted)| {
            json!({
                "id": id, "score": score, "comment": comment, "answered_at": answered.0, "edited_at": at(edited),
                "is_counted": is_counted, "earlier": earlier.remove(&id).unwrap_or_default(),
            })
        });
        json!({
            "id": id, "kind": kind.0, "ticket_id": ticket, "wave_id": wave, "outcome": outcome.0, "sent_at": at(sent),
            "expires_at": at(expires), "answer": answer, "by_mail": by_mail.remove(&id).unwrap_or_default(),
        })
    });
    Ok(listed.collect())
}

type MailAnswerColumns = (InvitationId, String, String, Option<i32>, String, Time);

/// What the person answered by mail, by the survey.
fn answers_by_mail(conn: &mut Conn, id: ContactId) -> Result<HashMap<InvitationId, Vec<Value>>> {
    use survey_invitations as i;
    use survey_mail_answers as m;
    let rows: Vec<MailAnswerColumns> = m::table
        .inner_join(i::table.on(i::id.eq(m::invitation_id)))
        .filter(i::contact_id.eq(id))
        .order(m::id)
        .select((m::invitation_id, m::sender, m::body, m::score, m::state, m::received_at))
        .load(conn)?;
    let mut listed: HashMap<InvitationId, Vec<Value>> = HashMap::new();
    for (survey, sender, text, score, state, received) in rows {
        let said = json!({ "sender": sender, "text": text, "score": score, "state": state, "received_at": received.0 });
        listed.entry(survey).or_default().push(said);
    }
    Ok(listed)
}

type CallColumns =
    (CallId, Named<Direction>, Option<String>, Option<String>, Time, Option<Time>, Option<Time>, Option<String>, Option<String>);

fn calls_of(conn: &mut Conn, id: ContactId) -> Result<Vec<Value>> {
    use calls as c;
    let rows: Vec<CallColumns> = c::table
        .filter(c::contact_id.eq(id))
        .order(c::at)
        .select((
            c::id,
            c::direction,
            c::from_number,
            c::to_number,
            c::at,
            c::answered_at,
            c::ended_at,
            c::recording_url,
            c::transcript,
        ))
        .load(conn)?;
    let listed = rows.into_iter().map(|(id, direction, from, to, began, answered, ended, recording, transcript)| {
        json!({
            "id": id, "direction": direction.0, "from": from, "to": to, "at": began.0, "answered_at": at(answered),
            "ended_at": at(ended), "recording_url": recording, "transcript": transcript,
        })
    });
    Ok(listed.collect())
}

type LetterColumns = (MailId, String, String, String, Option<String>, Time, Option<Time>);

fn letters(conn: &mut Conn, id: ContactId) -> Result<Vec<Value>> {
    use mails as m;
    let own = contact_emails::table.filter(contact_emails::contact_id.eq(id)).select(contact_emails::address);
    let about = tickets::table.filter(tickets::contact_id.eq(id)).select(tickets::id.nullable());
    let columns = (m::id, m::recipient, m::subject, m::state, m::text_body, m::created_at, m::sent_at);
    let mut rows: Vec<LetterColumns> =
        m::table.filter(m::ticket_id.eq_any(about)).order((m::created_at, m::id)).select(columns).load(conn)?;
    let of_waves: Vec<LetterColumns> = m::table
        .filter(m::ticket_id.is_null().and(m::recipient.eq_any(own)))
        .order((m::created_at, m::id))
        .select(columns)
        .load(conn)?;
    rows.extend(of_waves);
    let listed = rows.into_iter().map(|(id, recipient, subject, state, body, created, sent)| {
        json!({
            "id": id, "recipient": recipient, "subject": subject, "state": state, "body": body, "created_at": created.0,
            "sent_at": at(sent),
        })
    });
    Ok(listed.collect())
}

/// What the audit says of the contact itself.
fn history(conn: &mut Conn, id: ContactId) -> Result<Vec<Value>> {
    let rows: Vec<(Named<Kind>, String, Time, Json)> = events::table
        .filter(events::object.eq("contact").and(events::object_id.eq(crate::timeline::ActorId(id.0))))
        .order(events::id)
        .select((events::kind, events::actor, events::at, events::data))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(kind, actor, when, data)| json!({ "kind": kind.0, "actor": actor, "at": when.0, "data": data.0 }))
        .collect())
}
