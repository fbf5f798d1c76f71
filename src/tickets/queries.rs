//! Lists of tickets, and one with everything on it.
use super::model::{Channel, Priority, Status, Ticket};
use super::related::{self, queries::Related};
use super::store::{MessageRow, TicketRow};
use crate::db::{
    Conn,
    ext::among,
    schema::{clocks, contacts, messages, survey_invitations, survey_responses, ticket_fields, ticket_tags, tickets},
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ContactId, OrganizationId, TeamId, TicketId};
pub use crate::sla::model::PromiseState;
use crate::sla::{ClockRow, model::Summary};
use crate::surveys::model::Outcome;
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

/// Messages of one ticket in an answer at the most.
const MESSAGES_MAX: i64 = 1_000;

names! {
    /// What a list is sorted by.
    pub enum Sort {
        /// The next promise to fall due first.
        Due = "due",
        /// Newest first.
        Received = "received",
        /// Last changed first.
        Updated = "updated",
        /// What fits `q` best first; only with `q`.
        Relevance = "relevance",
    }
}

/// Which tickets; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Filter {
    pub status: Option<Status>,
    pub is_active: Option<bool>,
    pub channel: Option<Channel>,
    pub priority: Option<Priority>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub is_unassigned: Option<bool>,
    pub organization_id: Option<OrganizationId>,
    pub contact_id: Option<ContactId>,
    pub tag: Option<String>,
    pub promise: Option<PromiseState>,
    pub received_from: Option<DateTime<Utc>>,
    pub received_to: Option<DateTime<Utc>>,
    pub number: Option<i64>,
    pub fields: Vec<crate::fields::model::Wanted>,
}

/// Where the next page starts: the sort instant in microseconds, and the number.
pub type Cursor = (i64, i64);

/// What the row of a ticket repeats of its promises.
#[derive(Queryable, Selectable, Debug, Clone, Copy)]
#[diesel(table_name = tickets)]
struct SummaryRow {
    promise_due_at: Time,
    promise_warn_at: Time,
    promises_breached: i32,
    promises_met: i32,
}

impl From<SummaryRow> for Summary {
    fn from(row: SummaryRow) -> Self {
        let SummaryRow { promise_due_at, promise_warn_at, promises_breached, promises_met } = row;
        Self { due_at: promise_due_at.0, warn_at: promise_warn_at.0, breached: promises_breached, met: promises_met }
    }
}

/// A ticket in a list.
pub struct Listed {
    /// The ticket.
    pub ticket: Ticket,
    /// How its promises stand together.
    pub promises: Summary,
}

impl From<(TicketRow, SummaryRow)> for Listed {
    fn from((row, promises): (TicketRow, SummaryRow)) -> Self {
        Self { ticket: row.into(), promises: promises.into() }
    }
}

impl Listed {
    /// Where a page after it starts.
    pub fn cursor(&self, sort: Sort) -> Cursor {
        let at = match sort {
            Sort::Due => self.promises.due_at,
            Sort::Received | Sort::Relevance => self.ticket.received_at,
            Sort::Updated => self.ticket.updated_at,
        };
        (at.timestamp_micros(), self.ticket.number)
    }
}

/// Refuses an id that names no ticket. One query.
pub fn must_exist(conn: &mut Conn, id: TicketId) -> Result<()> {
    let number: Option<i64> = tickets::table.filter(tickets::id.eq(id)).select(tickets::number).first(conn).optional()?;
    number.map(|_| ()).ok_or(Error::NotFound("ticket"))
}

/// One ticket, only to look at. One query.
pub fn find(conn: &mut Conn, id: TicketId) -> Result<Ticket> {
    let row: Option<TicketRow> =
        tickets::table.filter(tickets::id.eq(id)).select(TicketRow::as_select()).first(conn).optional()?;
    row.map(Ticket::from).ok_or(Error::NotFound("ticket"))
}

/// A page of tickets. One query, on the index of the order.
pub fn list(
    conn: &mut Conn,
    filter: &Filter,
    (sort, after): (Sort, Option<Cursor>),
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Listed>> {
    let rows: Vec<(TicketRow, SummaryRow)> = each!(conn, conn => {
    let mut query = tickets::table.select((TicketRow::as_select(), SummaryRow::as_select())).limit(limit).into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(tickets::status.eq(Named(status)));
    }
    match filter.is_active {
        Some(true) => query = query.filter(tickets::closed_at.is_null()),
        Some(false) => query = query.filter(tickets::closed_at.is_not_null()),
        None => {}
    }
    if let Some(channel) = filter.channel {
        query = query.filter(tickets::channel.eq(Named(channel)));
    }
    if let Some(priority) = filter.priority {
        query = query.filter(tickets::priority.eq(Named(priority)));
    }
    if let Some(id) = filter.team_id {
        query = query.filter(tickets::team_id.eq(id));
    }
    if let Some(id) = filter.assignee_id {
        query = query.filter(tickets::assignee_id.eq(id));
    }
    match filter.is_unassigned {
        Some(true) => query = query.filter(tickets::assignee_id.is_null()),
        Some(false) => query = query.filter(tickets::assignee_id.is_not_null()),
        None => {}
    }
    if let Some(id) = filter.organization_id {
        query = query.filter(tickets::organization_id.eq(id));
    }
    if let Some(id) = filter.contact_id {
        query = query.filter(tickets::contact_id.eq(id));
    }
    if let Some(tag) = &filter.tag {
        let tagged = ticket_tags::table.filter(ticket_tags::ticket_id.eq(tickets::id).and(ticket_tags::tag.eq(tag.clone())));
        query = query.filter(exists(tagged));
    }
    for (key, value) in &filter.fields {
        use ticket_fields as f;
        let named = f::table.filter(f::ticket_id.eq(tickets::id).and(f::key.eq(key.clone())));
        query = match value {
            Some(value) => query.filter(exists(named.filter(f::value.eq(value.clone())))),
            None => query.filter(not(exists(named))),
        };
    }
    if let Some(from) = filter.received_from {
        query = query.filter(tickets::received_at.ge(Time(from)));
    }
    if let Some(to) = filter.received_to {
        query = query.filter(tickets::received_at.lt(Time(to)));
    }
    if let Some(number) = filter.number {
        query = query.filter(tickets::number.eq(number));
    }
    let (now, never) = (Time(now), Time(crate::sla::model::NEVER));
    match filter.promise {
        Some(PromiseState::Breached) => {
            query = query.filter(tickets::promises_breached.gt(0).or(tickets::promise_due_at.lt(now)));
        }
        Some(PromiseState::AtRisk) => {
            query = query.filter(
                tickets::promises_breached.eq(0).and(tickets::promise_warn_at.le(now)).and(tickets::promise_due_at.ge(now)),
            );
        }
        Some(PromiseState::Running) => {
            query = query.filter(
                tickets::promises_breached
                    .eq(0)
                    .and(tickets::promise_warn_at.gt(now))
                    .and(tickets::promise_due_at.ge(now))
                    .and(tickets::promise_due_at.lt(never)),
            );
        }
        Some(PromiseState::Met) => {
            query = query
                .filter(tickets::promises_breached.eq(0).and(tickets::promises_met.gt(0)).and(tickets::promise_due_at.ge(never)));
        }
        None => {}
    }
    macro_rules! page {
        ($column:ident, $order:ident, $strictly:ident, $or_equal:ident) => {{
            if let Some((micros, number)) = after {
                let at = Time(DateTime::from_timestamp_micros(micros).ok_or_else(unknown_cursor)?);
                query = query.filter(
                    tickets::$column.$or_equal(at).and(tickets::$column.$strictly(at).or(tickets::number.$strictly(number))),
                );
            }
            query.order((tickets::$column.$order(), tickets::number.$order()))
        }};
    }
    let query = match sort {
        Sort::Due => page!(promise_due_at, asc, gt, ge),
        Sort::Received | Sort::Relevance => page!(received_at, desc, lt, le),
        Sort::Updated => page!(updated_at, desc, lt, le),
    };
    query.load(conn)
    })?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

fn unknown_cursor() -> Error {
    Error::field("cursor", "unknown_cursor", "is not a cursor of this list")
}

/// The tickets with these numbers as in a list, in no order. One query.
pub fn numbered(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Listed>> {
    let rows: Vec<(TicketRow, SummaryRow)> = match conn {
        Conn::Pg(conn) => tickets::table
            .filter(tickets::number.eq_any(numbers))
            .select((TicketRow::as_select(), SummaryRow::as_select()))
            .load(conn),
        Conn::Sqlite(conn) => tickets::table
            .filter(among(tickets::number, numbers))
            .select((TicketRow::as_select(), SummaryRow::as_select()))
            .load(conn),
    }?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// How a close ended: number, outcome, due, sent, score.
pub type SurveyRow = (i32, Named<Outcome>, Time, Option<Time>, Option<i32>);

/// A message with the list of its files, what is known of a letter that came back, who had a copy, and since when it is taken back.
pub type Said = (MessageRow, Option<Json>, Option<Json>, Option<Json>, Option<Time>);

/// One ticket with everything on it.
pub struct Full {
    /// The ticket.
    pub ticket: Ticket,
    /// Name of its contact.
    pub contact_name: String,
    /// How its promises stand together.
    pub promises: Summary,
    /// Its promises, one by one.
    pub clocks: Vec<ClockRow>,
    /// Its messages, oldest first, each with the list of its files.
    pub messages: Vec<Said>,
    /// Its surveys.
    pub surveys: Vec<SurveyRow>,
    /// Its links, and what was merged into it.
    pub related: Related,
}

/// One ticket with everything on it: two queries, one more for a ticket that was closed, up to four where it has links or merged tickets.
pub fn full(conn: &mut Conn, id: TicketId) -> Result<Full> {
    // Cheaper on PostgreSQL than a join.
    let name = contacts::table.filter(contacts::id.eq(tickets::contact_id)).select(contacts::name).limit(1);
    let found = tickets::table.left_join(clocks::table.on(clocks::ticket_id.eq(tickets::id))).filter(tickets::id.eq(id));
    // The ticket comes again with each of its few clocks, which is cheaper than asking for them.
    type Row = (TicketRow, SummaryRow, Option<String>, Option<ClockRow>);
    let rows: Vec<Row> = each!(conn, conn => found
        .select((TicketRow::as_select(), SummaryRow::as_select(), name.single_value(), Option::<ClockRow>::as_select()))
        .load(conn))?;
    let mut clocks = Vec::with_capacity(rows.len());
    let mut head = None;
    for (row, promises, contact_name, clock) in rows {
        clocks.extend(clock);
        head = head.or(Some((row, promises, contact_name)));
    }
    // Sorting so few here costs less than a step of the plan.
    clocks.sort_unstable_by_key(|clock| clock.id);
    let (row, promises, contact_name) = head.ok_or(Error::NotFound("ticket"))?;
    let newest =
        messages::table.filter(messages::ticket_id.eq(id)).order((messages::at.desc(), messages::id.desc())).limit(MESSAGES_MAX);
    let mut messages: Vec<Said> = each!(conn, conn => newest
            .select((MessageRow::as_select(), messages::attachments, messages::bounce, messages::cc, messages::undone_at))
            .load(conn))?;
    messages.reverse();
    let ticket = Ticket::from(row);
    let related = if ticket.relations == 0 { Related::default() } else { related::queries::of(conn, &ticket)? };
    if !related.merged.is_empty() {
        let together: Vec<TicketId> = related.merged.iter().map(|merged| merged.0).chain([id]).collect();
        messages = related::queries::said(conn, &together, MESSAGES_MAX)?;
    }
    let surveys = if ticket.close_count == 0 { Vec::new() } else { surveys_of(conn, id)? };
    Ok(Full {
        ticket,
        contact_name: contact_name.unwrap_or_default(),
        promises: promises.into(),
        clocks,
        messages,
        surveys,
        related,
    })
}

fn surveys_of(conn: &mut Conn, id: TicketId) -> Result<Vec<SurveyRow>> {
    use survey_invitations as i;
    let rows = i::table
        .left_join(survey_responses::table.on(survey_responses::invitation_id.eq(i::id)))
        .filter(i::ticket_id.eq(id))
        .order(i::close_number)
        .select((i::close_number, i::outcome, i::due_at, i::sent_at, survey_responses::score.nullable()));
    Ok(each!(conn, conn => rows.load(conn))?)
}
