//! Taking a person out of every table that may name them. Whatever is counted or summed keeps its row.
use super::model::{self, ADDRESS, ERASED, NAME};
use crate::accounts::contacts::LANGUAGE_DEFAULT;
use crate::db::ext::OnConflictExt;
use crate::db::schema::{
    alert_letters, attachments, call_events, calls, chat_visitors, contact_emails, contact_erasures, contact_phones, contacts,
    digest_letters, erased_files, events, fields, idempotency_keys, import_errors, import_keys, jobs, mails, messages,
    survey_attempts, survey_followups, survey_invitations, survey_mail_answers, survey_reminders, survey_responses,
    survey_reviews, survey_revisions, survey_suppressions, ticket_fields, tickets, webhook_attempts, webhook_deliveries,
};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, AttachmentId, CallId, ContactId, DeliveryId, InvitationId, MailId, ResponseId, TicketId};
use crate::jobs::queue::SubjectId;
use crate::mail::MailState;
use crate::tickets::model::Status;
use crate::timeline::ActorId;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

/// Answers to retries are kept so long.
const ANSWERS_KEPT_HOURS: i64 = 24;
/// Contacts among the keys of imports.
const CONTACTS: &str = "contacts";

/// An erasure as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = contact_erasures)]
pub struct ErasureRow {
    pub contact_id: ContactId,
    pub erased_at: Time,
    pub erased_by: AgentId,
}

/// A ticket of the person: which, its subject, where it stands, when it changed.
pub type TicketLine = (TicketId, String, Named<Status>, Time);

/// Notes an erasure; false where there is one.
pub(super) fn insert(conn: &mut Conn, row: &ErasureRow) -> Result<bool> {
    Ok(diesel::insert_into(contact_erasures::table).values(row).or_ignore().execute(conn)? == 1)
}

pub(super) fn find(conn: &mut Conn, id: ContactId) -> Result<Option<(ErasureRow, i64)>> {
    let row = contact_erasures::table.find(id).select(ErasureRow::as_select()).first(conn).optional()?;
    let left = erased_files::table.filter(erased_files::contact_id.eq(id)).count().get_result(conn)?;
    Ok(row.map(|row| (row, left)))
}

/// The person's tickets, one more than is asked for at the most.
pub(super) fn tickets_of(conn: &mut Conn, id: ContactId, limit: usize) -> Result<Vec<TicketLine>> {
    Ok(tickets::table
        .filter(tickets::contact_id.eq(id))
        .limit(limit as i64 + 1)
        .select((tickets::id, tickets::subject, tickets::status, tickets::updated_at))
        .load(conn)?)
}

/// Addresses, numbers and the name that the person is known by.
pub(super) fn known_by(conn: &mut Conn, id: ContactId) -> Result<Vec<String>> {
    let mut known: Vec<String> =
        contact_emails::table.filter(contact_emails::contact_id.eq(id)).select(contact_emails::address).load(conn)?;
    known.extend(
        contact_phones::table.filter(contact_phones::contact_id.eq(id)).select(contact_phones::number).load::<String>(conn)?,
    );
    let name: String = contacts::table.find(id).select(contacts::name).first(conn)?;
    if !name.trim().is_empty() {
        known.push(name);
    }
    Ok(known)
}

/// What imports call the person.
pub(super) fn external_ids(conn: &mut Conn, id: ContactId) -> Result<Vec<String>> {
    let of_contact = import_keys::table.filter(import_keys::kind.eq(CONTACTS).and(import_keys::object_id.eq(ActorId(id.0))));
    Ok(of_contact.select(import_keys::external_id).load(conn)?)
}

/// How many people were erased.
pub(super) fn erasures(conn: &mut Conn) -> Result<i64> {
    Ok(contact_erasures::table.count().get_result(conn)?)
}

/// The contact's own rows, and what the audit says of them.
pub(super) fn erase_contact(conn: &mut Conn, id: ContactId, now: DateTime<Utc>) -> Result<()> {
    let addresses = contact_emails::table.filter(contact_emails::contact_id.eq(id)).select(contact_emails::address);
    diesel::delete(survey_suppressions::table.filter(survey_suppressions::address.eq_any(addresses))).execute(conn)?;
    diesel::delete(contact_emails::table.filter(contact_emails::contact_id.eq(id))).execute(conn)?;
    diesel::delete(contact_phones::table.filter(contact_phones::contact_id.eq(id))).execute(conn)?;
    // Their browsers are strangers from now on.
    diesel::delete(chat_visitors::table.filter(chat_visitors::contact_id.eq(id))).execute(conn)?;
    diesel::update(contacts::table.find(id))
        .set((
            contacts::name.eq(NAME),
            contacts::time_zone.eq(None::<String>),
            contacts::language.eq(LANGUAGE_DEFAULT),
            contacts::surveys_stopped_at.eq(Time(now)),
            contacts::version.eq(contacts::version + 1),
            contacts::updated_at.eq(Time(now)),
        ))
        .execute(conn)?;
    let of_contact = import_keys::table.filter(import_keys::kind.eq(CONTACTS).and(import_keys::object_id.eq(ActorId(id.0))));
    diesel::update(of_contact).set(import_keys::external_id.eq(format!("erased-{id}"))).execute(conn)?;
    let told = events::table.filter(events::object.eq("contact").and(events::object_id.eq(ActorId(id.0))));
    diesel::update(told).set(events::data.eq(Json(serde_json::json!({ "before": null, "after": null })))).execute(conn)?;
    Ok(())
}

/// What was said in these tickets, on every channel; gives the files whose bytes have to go.
pub(super) fn erase_tickets(conn: &mut Conn, ids: &[TicketId]) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    let said = messages::table.filter(messages::ticket_id.eq_any(ids)).select(messages::id.nullable());
    let of_these = attachments::table.filter(attachments::message_id.eq_any(said));
    let files: Vec<(AttachmentId, Time)> = of_these.select((attachments::id, attachments::created_at)).load(conn)?;
    let gone: Vec<AttachmentId> = files.iter().map(|file| file.0).collect();
    diesel::delete(attachments::table.filter(attachments::id.eq_any(&gone))).execute(conn)?;
    diesel::update(messages::table.filter(messages::ticket_id.eq_any(ids)))
        .set((
            messages::body.eq(ERASED),
            messages::mail_message_id.eq(None::<String>),
            messages::attachments.eq(None::<Json>),
            messages::cc.eq(None::<Json>),
        ))
        .execute(conn)?;
    diesel::update(tickets::table.filter(tickets::id.eq_any(ids)))
        .set((tickets::subject.eq(ERASED), tickets::version.eq(tickets::version + 1)))
        .execute(conn)?;
    erase_fields(conn, ids)?;
    erase_history(conn, ids)?;
    let deliveries = webhook_deliveries::table.filter(webhook_deliveries::ticket_id.eq_any(ids)).select(webhook_deliveries::id);
    let deliveries: Vec<DeliveryId> = deliveries.load(conn)?;
    diesel::update(webhook_attempts::table.filter(webhook_attempts::delivery_id.eq_any(&deliveries)))
        .set((webhook_attempts::answer.eq(None::<String>), webhook_attempts::error.eq(None::<String>)))
        .execute(conn)?;
    Ok(files.into_iter().map(|(id, at)| (id, at.0)).collect())
}

/// Custom fields that people wrote; choices, numbers and dates stay.
fn erase_fields(conn: &mut Conn, ids: &[TicketId]) -> Result<()> {
    let written: Vec<String> = fields::table.filter(fields::kind.eq("text")).select(fields::key).load(conn)?;
    if written.is_empty() {
        return Ok(());
    }
    diesel::delete(ticket_fields::table.filter(ticket_fields::ticket_id.eq_any(ids).and(ticket_fields::key.eq_any(&written))))
        .execute(conn)?;
    let with_fields = tickets::table.filter(tickets::id.eq_any(ids).and(tickets::fields.is_not_null()));
    let rows: Vec<(TicketId, Option<Json>)> = with_fields.select((tickets::id, tickets::fields)).load(conn)?;
    for (id, values) in rows {
        let Some(Json(mut values)) = values else { continue };
        if let Some(values) = values.as_object_mut() {
            values.retain(|key, _| !written.contains(key));
        }
        diesel::update(tickets::table.filter(tickets::id.eq(id))).set(tickets::fields.eq(Some(Json(values)))).execute(conn)?;
    }
    Ok(())
}

/// Free text in the history of tickets: few lines have any, and only those are written.
fn erase_history(conn: &mut Conn, ids: &[TicketId]) -> Result<()> {
    let lines: Vec<(i64, Json)> =
        events::table.filter(events::ticket_id.eq_any(ids)).select((events::id, events::data)).load(conn)?;
    for (id, Json(data)) in lines {
        let kept = model::scrubbed(data.clone());
        if kept != data {
            diesel::update(events::table.find(id)).set(events::data.eq(Json(kept))).execute(conn)?;
        }
    }
    Ok(())
}

/// Letters to the person: what was not sent is not sent any more. Gives the letters whose jobs are not wanted.
pub(super) fn erase_letters(conn: &mut Conn, ids: &[TicketId], invitations: &[InvitationId]) -> Result<Vec<MailId>> {
    let about: Vec<SubjectId> = invitations.iter().map(|id| SubjectId(id.0)).collect();
    let waiting = [Named(MailState::Queued), Named(MailState::Parked)];
    macro_rules! letters {
        ($filter:expr) => {{
            let unsent: Vec<MailId> =
                mails::table.filter($filter).filter(mails::state.eq_any(waiting)).select(mails::id).load(conn)?;
            diesel::update(mails::table.filter(mails::id.eq_any(&unsent)))
                .set(mails::state.eq(Named(MailState::Cancelled)))
                .execute(conn)?;
            diesel::update(mails::table.filter($filter))
                .set((
                    mails::recipient.eq(ADDRESS),
                    mails::subject.eq(ERASED),
                    mails::in_reply_to.eq(None::<String>),
                    mails::reference_ids.eq(None::<String>),
                    mails::text_body.eq(None::<String>),
                    mails::html_body.eq(None::<String>),
                    mails::last_error.eq(None::<String>),
                    mails::cc.eq(None::<Json>),
                    mails::settled.eq(None::<Json>),
                ))
                .execute(conn)?;
            unsent
        }};
    }
    let mut unsent = letters!(mails::ticket_id.eq_any(ids));
    unsent.extend(letters!(mails::subject_id.eq_any(&about)));
    Ok(unsent)
}

/// Invitations of the person.
pub(super) fn invitations_of(conn: &mut Conn, id: ContactId) -> Result<Vec<InvitationId>> {
    Ok(survey_invitations::table.filter(survey_invitations::contact_id.eq(id)).select(survey_invitations::id).load(conn)?)
}

/// Links of surveys lead nowhere any more; scores stay, and a comment stays a comment.
pub(super) fn erase_surveys(conn: &mut Conn, ids: &[InvitationId]) -> Result<()> {
    use survey_invitations as i;
    diesel::update(i::table.filter(i::id.eq_any(ids)))
        .set((i::token_hash.eq(None::<Vec<u8>>), i::unsubscribe_hash.eq(None::<Vec<u8>>)))
        .execute(conn)?;
    diesel::update(survey_reminders::table.filter(survey_reminders::invitation_id.eq_any(ids)))
        .set((survey_reminders::token_hash.eq(None::<Vec<u8>>), survey_reminders::unsubscribe_hash.eq(None::<Vec<u8>>)))
        .execute(conn)?;
    let answers = survey_responses::table.filter(survey_responses::invitation_id.eq_any(ids)).select(survey_responses::id);
    let answers: Vec<ResponseId> = answers.load(conn)?;
    macro_rules! erase {
        ($table:ident, $key:ident, $column:ident) => {
            diesel::update($table::table.filter($table::$key.eq_any(&answers)).filter($table::$column.ne("")))
                .set($table::$column.eq(ERASED))
                .execute(conn)?
        };
    }
    diesel::update(survey_mail_answers::table.filter(survey_mail_answers::invitation_id.eq_any(ids)))
        .set((survey_mail_answers::sender.eq(ADDRESS), survey_mail_answers::body.eq(ERASED)))
        .execute(conn)?;
    erase!(survey_responses, id, comment);
    erase!(survey_revisions, response_id, comment);
    erase!(survey_reviews, response_id, note);
    erase!(survey_followups, response_id, why);
    erase!(survey_attempts, response_id, note);
    Ok(())
}

/// Numbers, recordings and transcripts of calls; who waited and talked how long stays.
pub(super) fn erase_calls(conn: &mut Conn, id: ContactId, ids: &[TicketId]) -> Result<()> {
    let with_person = calls::table.filter(calls::contact_id.eq(id).or(calls::ticket_id.eq_any(ids))).select(calls::id);
    let found: Vec<CallId> = with_person.load(conn)?;
    diesel::update(calls::table.filter(calls::id.eq_any(&found)))
        .set((
            calls::from_number.eq(None::<String>),
            calls::to_number.eq(None::<String>),
            calls::recording_url.eq(None::<String>),
            calls::transcript.eq(None::<String>),
        ))
        .execute(conn)?;
    diesel::update(call_events::table.filter(call_events::call_id.eq_any(&found)))
        .set((
            call_events::from_text.eq(None::<String>),
            call_events::to_text.eq(None::<String>),
            call_events::recording_url.eq(None::<String>),
            call_events::transcript.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Texts that name the person where no id leads: letters to the staff, errors of jobs and imports.
pub(super) fn erase_mentions(conn: &mut Conn, known: &[String], subjects: &[String]) -> Result<()> {
    for text in known.iter().chain(subjects).filter(|text| *text != ERASED) {
        let pattern = model::anywhere(text);
        diesel::update(alert_letters::table.filter(alert_letters::text_body.like(&pattern)))
            .set((alert_letters::subject.eq(ERASED), alert_letters::text_body.eq(ERASED), alert_letters::html_body.eq(ERASED)))
            .execute(conn)?;
        diesel::update(digest_letters::table.filter(digest_letters::text_body.like(&pattern)))
            .set((digest_letters::text_body.eq(ERASED), digest_letters::html_body.eq(ERASED)))
            .execute(conn)?;
    }
    for text in known {
        let pattern = model::anywhere(text);
        diesel::update(jobs::table.filter(jobs::last_error.like(&pattern))).set(jobs::last_error.eq(ERASED)).execute(conn)?;
        diesel::update(import_errors::table.filter(import_errors::message.like(&pattern)))
            .set(import_errors::message.eq(ERASED))
            .execute(conn)?;
        diesel::update(import_errors::table.filter(import_errors::external_id.like(&pattern)))
            .set(import_errors::external_id.eq(None::<String>))
            .execute(conn)?;
    }
    Ok(())
}

/// Answers that are kept for retries and show the person, or a ticket that was touched lately.
pub(super) fn forget_answers(
    conn: &mut Conn,
    id: ContactId,
    (lines, files): (&[TicketLine], &[(AttachmentId, DateTime<Utc>)]),
    now: DateTime<Utc>,
) -> Result<()> {
    let since = now - TimeDelta::hours(ANSWERS_KEPT_HOURS);
    let recent = lines.iter().filter(|line| line.3.0 >= since).map(|line| line.0.to_string());
    let uploads = files.iter().filter(|file| file.1 >= since).map(|file| file.0.to_string());
    for shown in std::iter::once(id.to_string()).chain(recent).chain(uploads) {
        let pattern = model::anywhere(&shown);
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::body.like(pattern))).execute(conn)?;
    }
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = erased_files)]
struct FileRow {
    attachment_id: AttachmentId,
    contact_id: ContactId,
    created_at: Time,
}

/// Notes files whose bytes have to go.
pub(super) fn note_files(conn: &mut Conn, id: ContactId, files: &[(AttachmentId, DateTime<Utc>)]) -> Result<()> {
    const AT_ONCE: usize = 1_000;
    for chunk in files.chunks(AT_ONCE) {
        let row =
            |(file, at): &(AttachmentId, DateTime<Utc>)| FileRow { attachment_id: *file, contact_id: id, created_at: Time(*at) };
        let rows: Vec<FileRow> = chunk.iter().map(row).collect();
        crate::each!(conn, conn => diesel::insert_into(erased_files::table).values(&rows).execute(conn))?;
    }
    Ok(())
}

/// Files whose bytes have to go, and when they came.
pub(super) fn files_left(conn: &mut Conn, id: ContactId, limit: i64) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    let left: Vec<(AttachmentId, Time)> = erased_files::table
        .filter(erased_files::contact_id.eq(id))
        .order(erased_files::attachment_id)
        .limit(limit)
        .select((erased_files::attachment_id, erased_files::created_at))
        .load(conn)?;
    Ok(left.into_iter().map(|(id, at)| (id, at.0)).collect())
}

/// Their bytes are gone.
pub(super) fn files_gone(conn: &mut Conn, ids: &[AttachmentId]) -> Result<()> {
    diesel::delete(erased_files::table.filter(erased_files::attachment_id.eq_any(ids))).execute(conn)?;
    Ok(())
}
