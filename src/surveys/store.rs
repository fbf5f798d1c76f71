//! Invitation, response and review rows: load and save one.
use super::model::{Confirmation, Outcome, ReviewState, SPAM_TAG, SurveyKind};
use super::reminders;
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{survey_followups, survey_invitations, survey_responses, survey_reviews, survey_revisions, ticket_tags},
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ContactId, InvitationId, OrganizationId, ResponseId, TeamId, TicketId, WaveId};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// An invitation as stored; the last columns are the snapshot at close.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = survey_invitations, treat_none_as_default_value = false)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub ticket_id: Option<TicketId>,
    pub close_number: i32,
    pub contact_id: ContactId,
    pub closed_at: Time,
    pub due_at: Time,
    pub outcome: Named<Outcome>,
    pub outcome_at: Time,
    pub token_hash: Option<Vec<u8>>,
    pub unsubscribe_hash: Option<Vec<u8>>,
    pub sent_at: Option<Time>,
    pub expires_at: Option<Time>,
    pub is_answered: bool,
    pub channel: Named<Channel>,
    pub priority: Named<Priority>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub organization_id: Option<OrganizationId>,
    pub agent_ids: Json,
    pub kind: Named<SurveyKind>,
    pub wave_id: Option<WaveId>,
}

/// A response as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = survey_responses)]
pub struct ResponseRow {
    pub id: ResponseId,
    pub invitation_id: InvitationId,
    pub score: i32,
    pub comment: String,
    pub answered_at: Time,
    pub edited_at: Option<Time>,
    pub revision: i32,
    pub flags: Json,
    pub confirmation: Option<Named<Confirmation>>,
    pub decided_at: Option<Time>,
    pub decided_by: Option<AgentId>,
    pub is_counted: bool,
    pub next_score: Option<i32>,
}

/// A review as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = survey_reviews, primary_key(response_id), treat_none_as_null = true)]
pub struct ReviewRow {
    pub response_id: ResponseId,
    pub state: Named<ReviewState>,
    pub rank: i32,
    pub due_at: Option<Time>,
    pub agent_id: Option<AgentId>,
    pub claimed_at: Option<Time>,
    pub reviewed_at: Option<Time>,
    pub causes: Json,
    pub note: String,
}

pub(super) fn insert_invitation(conn: &mut Conn, row: &InvitationRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(survey_invitations::table).values(row).execute(conn))?;
    Ok(())
}

/// Many at once. One insert.
pub(super) fn insert_invitations(conn: &mut Conn, rows: &[InvitationRow]) -> Result<()> {
    each!(conn, conn => diesel::insert_into(survey_invitations::table).values(rows).execute(conn))?;
    Ok(())
}

pub(super) fn find_invitation(conn: &mut Conn, id: InvitationId) -> Result<Option<InvitationRow>> {
    Ok(survey_invitations::table.find(id).select(InvitationRow::as_select()).first(conn).optional()?)
}

pub(super) fn find_by_token(conn: &mut Conn, hash: &[u8]) -> Result<Option<InvitationRow>> {
    Ok(survey_invitations::table
        .filter(survey_invitations::token_hash.eq(hash))
        .select(InvitationRow::as_select())
        .first(conn)
        .optional()?)
}

/// Locks an invitation until the commit, so that two answers to it come one after the other. No-op on SQLite.
pub(super) fn lock(conn: &mut Conn, id: InvitationId) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        survey_invitations::table.find(id).select(survey_invitations::id).for_update().load::<InvitationId>(conn)?;
    }
    Ok(())
}

/// Locks a review until the commit, so that an edit of its answer and its end come one after the other. No-op on SQLite.
pub(super) fn lock_review(conn: &mut Conn, id: ResponseId) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        survey_reviews::table.find(id).select(survey_reviews::response_id).for_update().load::<ResponseId>(conn)?;
    }
    Ok(())
}

/// The invitation behind a token: unknown ones are not found, expired ones are gone.
pub(super) fn find_open(conn: &mut Conn, token_hash: &[u8], now: DateTime<Utc>) -> Result<InvitationRow> {
    let mut found = find_by_token(conn, token_hash)?;
    if found.is_none()
        && let Some(id) = reminders::find_by_token(conn, token_hash)?
    {
        found = find_invitation(conn, id)?;
    }
    let row = found.ok_or(Error::NotFound("survey"))?;
    match row.expires_at {
        Some(expires_at) if now < expires_at.0 => Ok(row),
        _ => Err(Error::Gone("this survey has ended")),
    }
}

pub(super) fn find_by_unsubscribe(conn: &mut Conn, hash: &[u8]) -> Result<Option<InvitationRow>> {
    let found = survey_invitations::table
        .filter(survey_invitations::unsubscribe_hash.eq(hash))
        .select(InvitationRow::as_select())
        .first(conn)
        .optional()?;
    if found.is_some() {
        return Ok(found);
    }
    match reminders::find_by_unsubscribe(conn, hash)? {
        Some(id) => find_invitation(conn, id),
        None => Ok(None),
    }
}

/// Moves an invitation on, but only from where it stood: another node may have been faster. Says whether it moved.
pub(super) fn set_outcome(conn: &mut Conn, id: InvitationId, from: Outcome, to: Outcome, now: DateTime<Utc>) -> Result<bool> {
    use survey_invitations as i;
    let moved = diesel::update(i::table.find(id).filter(i::outcome.eq(Named(from))))
        .set((i::outcome.eq(Named(to)), i::outcome_at.eq(Time(now))))
        .execute(conn)?;
    Ok(moved == 1)
}

/// Writes the hashes of a letter's tokens, and until when they are good.
pub(super) fn set_tokens(
    conn: &mut Conn,
    id: InvitationId,
    (token, unsubscribe): (Vec<u8>, Vec<u8>),
    expires_at: DateTime<Utc>,
) -> Result<()> {
    use survey_invitations as i;
    diesel::update(i::table.find(id))
        .set((i::token_hash.eq(token), i::unsubscribe_hash.eq(unsubscribe), i::expires_at.eq(Time(expires_at))))
        .execute(conn)?;
    Ok(())
}

pub(super) fn set_sent(conn: &mut Conn, id: InvitationId, now: DateTime<Utc>) -> Result<()> {
    use survey_invitations as i;
    diesel::update(i::table.find(id)).set(i::sent_at.eq(Time(now))).execute(conn)?;
    Ok(())
}

/// Notes when a letter came back, the first time.
pub(super) fn set_bounced(conn: &mut Conn, id: InvitationId, now: DateTime<Utc>) -> Result<()> {
    use survey_invitations as i;
    diesel::update(i::table.find(id).filter(i::bounced_at.is_null())).set(i::bounced_at.eq(Time(now))).execute(conn)?;
    Ok(())
}

/// The invitation of one close of a ticket.
pub(super) fn find_of_close(conn: &mut Conn, ticket: TicketId, close_number: i32) -> Result<Option<(InvitationId, Outcome)>> {
    use survey_invitations as i;
    let found: Option<(InvitationId, Named<Outcome>)> = i::table
        .filter(i::ticket_id.eq(ticket).and(i::close_number.eq(close_number)))
        .select((i::id, i::outcome))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, outcome)| (id, outcome.0)))
}

/// Outcomes of a close that is, or will be, asked about.
const ASKED_OR_WAITING: [Outcome; 4] = [Outcome::Waiting, Outcome::Sending, Outcome::Sent, Outcome::Unknown];

/// Whether a later close of the same contact is, or will be, asked about; follow-ups never are.
pub(super) fn has_later(conn: &mut Conn, row: &InvitationRow) -> Result<bool> {
    use survey_followups as f;
    use survey_invitations as i;
    let is_followup = diesel::dsl::exists(f::table.filter(f::ticket_id.eq(i::ticket_id)));
    let later: Option<InvitationId> = i::table
        .filter(i::contact_id.eq(row.contact_id).and(i::id.ne(row.id)).and(i::outcome.eq_any(ASKED_OR_WAITING.map(Named))))
        .filter(i::kind.eq(row.kind))
        .filter(i::closed_at.gt(row.closed_at).or(i::closed_at.eq(row.closed_at).and(i::id.gt(row.id))))
        .filter(diesel::dsl::not(is_followup))
        .select(i::id)
        .first(conn)
        .optional()?;
    Ok(later.is_some())
}

/// Whether the contact was sent a survey of that kind after `since`.
pub(super) fn was_asked_since(conn: &mut Conn, contact: ContactId, kind: SurveyKind, since: DateTime<Utc>) -> Result<bool> {
    use survey_invitations as i;
    let asked: Option<InvitationId> = i::table
        .filter(i::contact_id.eq(contact).and(i::kind.eq(Named(kind))))
        .filter(i::sent_at.gt(Time(since)).or(i::outcome.eq(Named(Outcome::Sending))))
        .select(i::id)
        .first(conn)
        .optional()?;
    Ok(asked.is_some())
}

/// When the contact was last sent a survey of that kind.
pub(super) fn last_asked(conn: &mut Conn, contact: ContactId, kind: SurveyKind) -> Result<Option<DateTime<Utc>>> {
    use survey_invitations as i;
    let last: Option<Option<Time>> = i::table
        .filter(i::contact_id.eq(contact).and(i::kind.eq(Named(kind))).and(i::sent_at.is_not_null()))
        .order(i::sent_at.desc())
        .select(i::sent_at)
        .first(conn)
        .optional()?;
    Ok(last.flatten().map(|at| at.0))
}

/// Whether a ticket is tagged as spam.
pub(super) fn is_spam(conn: &mut Conn, ticket: TicketId) -> Result<bool> {
    let tagged: Option<TicketId> = ticket_tags::table
        .filter(ticket_tags::ticket_id.eq(ticket).and(ticket_tags::tag.eq(SPAM_TAG)))
        .select(ticket_tags::ticket_id)
        .first(conn)
        .optional()?;
    Ok(tagged.is_some())
}

pub(super) fn find_response_of(conn: &mut Conn, invitation: InvitationId) -> Result<Option<ResponseRow>> {
    Ok(survey_responses::table
        .filter(survey_responses::invitation_id.eq(invitation))
        .select(ResponseRow::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn find_response(conn: &mut Conn, id: ResponseId) -> Result<Option<ResponseRow>> {
    Ok(survey_responses::table.find(id).select(ResponseRow::as_select()).first(conn).optional()?)
}

/// Writes a first answer; false where one stands already (the index decides).
pub(super) fn insert_response(conn: &mut Conn, row: &ResponseRow) -> Result<bool> {
    let written = diesel::insert_into(survey_responses::table).values(row).or_ignore().execute(conn)?;
    if written == 1 {
        diesel::update(survey_invitations::table.find(row.invitation_id))
            .set(survey_invitations::is_answered.eq(true))
            .execute(conn)?;
    }
    Ok(written == 1)
}

/// Saves a changed answer and keeps what it said before.
pub(super) fn revise(conn: &mut Conn, before: &ResponseRow, score: i32, comment: &str, now: DateTime<Utc>) -> Result<()> {
    use survey_revisions as v;
    diesel::insert_into(v::table)
        .values((
            v::response_id.eq(before.id),
            v::revision.eq(before.revision),
            v::score.eq(before.score),
            v::comment.eq(&before.comment),
            v::at.eq(before.edited_at.unwrap_or(before.answered_at)),
        ))
        .execute(conn)?;
    use survey_responses as r;
    diesel::update(r::table.find(before.id))
        .set((r::score.eq(score), r::comment.eq(comment), r::edited_at.eq(Time(now)), r::revision.eq(before.revision + 1)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn insert_review(conn: &mut Conn, row: &ReviewRow) -> Result<()> {
    diesel::insert_into(survey_reviews::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn find_review(conn: &mut Conn, id: ResponseId) -> Result<Option<ReviewRow>> {
    Ok(survey_reviews::table.find(id).select(ReviewRow::as_select()).first(conn).optional()?)
}

/// Saves a review, but only from the state and holder it had; says whether it did.
pub(super) fn update_review(conn: &mut Conn, row: &ReviewRow, from: ReviewState, held_by: Option<AgentId>) -> Result<bool> {
    use survey_reviews as v;
    let mut target = diesel::update(v::table.find(row.response_id)).filter(v::state.eq(Named(from))).into_boxed();
    target = match held_by {
        Some(agent) => target.filter(v::agent_id.eq(agent)),
        None => target.filter(v::agent_id.is_null()),
    };
    Ok(target.set(row).execute(conn)? == 1)
}
