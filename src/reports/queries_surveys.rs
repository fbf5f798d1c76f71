//! Closes with all that became of them, counted or listed; and the causes that reviews name.
//!
//! Cost: one range of `survey_invitations_by_closed` or `survey_invitations_by_sent`, or of `survey_responses_by_time` for causes,
//! with a look at a primary or unique key for each thing that hangs off a row.
use super::asked::{Asked, Filter, GroupBy, Period};
use super::causes::CauseTally;
use super::figures::{Groups, Key};
use super::funnel::{AnswerFact, AnswerStanding, CloseFact, Cohort, FollowUp, FunnelTally};
use super::queries::{each_row, filtered, key, score};
use super::rows::{Place, RowsAsked};
use super::rows_surveys::SurveyRow;
use crate::db::schema::{survey_invitations, survey_responses, survey_reviews, tickets};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, InvitationId, OrganizationId, ResponseId, TeamId, TicketId};
use crate::surveys::model::{Outcome, ReviewState};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use diesel::connection::DefaultLoadingMode;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use std::collections::HashMap;

/// Closes of a cohort with answer and review, where there are any.
macro_rules! cohort {
    ($cohort:expr, $from:expr, $to:expr, $filter:expr) => {{
        let query = survey_invitations::table
            .left_join(survey_responses::table.on(survey_responses::invitation_id.eq(survey_invitations::id)))
            .left_join(survey_reviews::table.on(survey_reviews::response_id.nullable().eq(survey_responses::id.nullable())))
            .filter(survey_invitations::kind.eq(Named($filter.kind)))
            .into_boxed();
        let query = match $cohort {
            Cohort::Closed => {
                query.filter(survey_invitations::closed_at.ge(Time($from)).and(survey_invitations::closed_at.lt(Time($to))))
            }
            Cohort::Sent => query
                .filter(survey_invitations::outcome.eq(Named(Outcome::Sent)))
                .filter(survey_invitations::sent_at.ge(Time($from)).and(survey_invitations::sent_at.lt(Time($to)))),
        };
        filtered!(query, $filter, survey_invitations, assignee_id)
    }};
}

/// Whether an answer counts; null where there is none. Written out, as types of a column each keep the compiler busy for minutes.
const STANDING: &str = "(CASE WHEN survey_responses.id IS NULL THEN NULL \
                        WHEN survey_responses.confirmation = 'rejected' THEN 'rejected' \
                        WHEN survey_responses.is_counted THEN 'counted' ELSE 'unconfirmed' END)";
/// Where the follow-up of an answer stands; null where none is owed.
const FOLLOW_UP: &str = "(SELECT coalesce(f.outcome, 'open') FROM survey_followups f WHERE f.response_id = survey_responses.id)";

/// What an answer's standing, the state of its review, and its follow-up make of it.
type AroundColumns = (Option<Named<AnswerStanding>>, Option<Named<ReviewState>>, Option<Named<FollowUp>>);

fn written(text: &'static str) -> SqlLiteral<Nullable<Text>> {
    diesel::dsl::sql(text)
}

/// What is known of an answer.
fn answer((standing, review, follow_up): AroundColumns) -> Option<AnswerFact> {
    let standing = standing?.0;
    Some(AnswerFact { standing, review: review.map(|review| review.0), follow_up: follow_up.map(|named| named.0) })
}

/// What became of the closes of a cohort, as it stands at `now`. One query.
pub fn funnel(conn: &mut Conn, asked: &Asked, cohort: Cohort, now: DateTime<Utc>) -> Result<Groups<FunnelTally>> {
    let query = cohort!(cohort, asked.period.from, asked.period.to, asked.filter);
    let columns = (
        survey_invitations::closed_at,
        survey_invitations::sent_at,
        survey_invitations::outcome,
        survey_invitations::expires_at,
        survey_invitations::bounced_at,
        written(STANDING),
        survey_reviews::state.nullable(),
        written(FOLLOW_UP),
    );
    type FunnelRow = (
        Time,
        Option<Time>,
        Named<Outcome>,
        Option<Time>,
        Option<Time>,
        Option<Named<AnswerStanding>>,
        Option<Named<ReviewState>>,
        Option<Named<FollowUp>>,
    );
    let mut groups = Groups::<FunnelTally>::default();
    let mut take = |row: FunnelRow, group: Key| -> Result<()> {
        let (closed_at, sent_at, outcome, expires_at, bounced_at, standing, review, follow_up) = row;
        let fact = CloseFact {
            outcome: outcome.0,
            is_bounced: bounced_at.is_some(),
            expires_at: expires_at.map(|at| at.0),
            answer: answer((standing, review, follow_up)),
        };
        let at = match cohort {
            Cohort::Closed => closed_at.0,
            Cohort::Sent => sent_at.map_or(closed_at.0, |at| at.0),
        };
        groups.add(key(&asked.buckets, at, group), |tally| tally.add(&fact, now));
        Ok(())
    };
    each_row!(conn, query, columns => FunnelRow, survey_invitations, assignee_id, asked.group_by, take);
    Ok(groups)
}

type CloseColumns = (InvitationId, Option<TicketId>, i32, Time, Named<Outcome>, Option<Time>, Option<Time>, Option<Time>);
type SnapshotColumns = (Named<Channel>, Named<Priority>, Option<TeamId>, Option<AgentId>, Option<OrganizationId>);
type AnswerColumns = (ResponseId, Time, i32);
type Loaded = (CloseColumns, SnapshotColumns, Option<AnswerColumns>, AroundColumns);

/// The closes themselves, oldest first. Two queries.
pub fn rows(conn: &mut Conn, asked: &RowsAsked, cohort: Cohort, after: Option<Place>, limit: i64) -> Result<Vec<SurveyRow>> {
    use survey_invitations as i;
    use survey_responses as r;
    let Period { from, to, .. } = asked.period;
    let from = after.map_or(from, |(at, _)| at);
    let mut query = cohort!(cohort, from, to, asked.filter);
    if let Some((at, id)) = after {
        query = match cohort {
            Cohort::Closed => query.filter(i::closed_at.gt(Time(at)).or(i::id.gt(InvitationId(id)))),
            Cohort::Sent => query.filter(i::sent_at.assume_not_null().gt(Time(at)).or(i::id.gt(InvitationId(id)))),
        };
    }
    query = match cohort {
        Cohort::Closed => query.order((i::closed_at, i::id)),
        Cohort::Sent => query.order((i::sent_at, i::id)),
    };
    let columns = (
        (i::id, i::ticket_id, i::close_number, i::closed_at, i::outcome, i::sent_at, i::expires_at, i::bounced_at),
        (i::channel, i::priority, i::team_id, i::assignee_id, i::organization_id),
        (r::id, r::answered_at, r::score).nullable(),
        (written(STANDING), survey_reviews::state.nullable(), written(FOLLOW_UP)),
    );
    let loaded: Vec<Loaded> = query.limit(limit).select(columns).load(conn)?;
    let ids: Vec<TicketId> = loaded.iter().filter_map(|row| row.0.1).collect();
    let numbers: Vec<(TicketId, i64)> =
        tickets::table.filter(tickets::id.eq_any(&ids)).select((tickets::id, tickets::number)).load(conn)?;
    let numbers: HashMap<TicketId, i64> = numbers.into_iter().collect();
    let rows = loaded.into_iter().map(|(close, snapshot, given, around)| {
        let (invitation_id, ticket_id, close_number, closed_at, outcome, sent_at, expires_at, bounced_at) = close;
        let (channel, priority, team_id, agent_id, organization_id) = snapshot;
        let fact = answer(around);
        let sent_at = sent_at.map(|at| at.0);
        SurveyRow {
            invitation_id,
            ticket_id,
            ticket_number: ticket_id.and_then(|id| numbers.get(&id).copied()),
            close_number,
            channel: channel.0,
            priority: priority.0,
            team_id,
            agent_id,
            organization_id,
            closed_at: closed_at.0,
            outcome: outcome.0,
            sent_at,
            is_bounced: bounced_at.is_some(),
            expires_at: expires_at.map(|at| at.0),
            response_id: given.as_ref().map(|given| given.0),
            answered_at: given.as_ref().map(|given| given.1.0),
            score: given.as_ref().map(|given| given.2),
            standing: fact.map(|fact| fact.standing),
            review: fact.and_then(|fact| fact.review),
            follow_up: fact.and_then(|fact| fact.follow_up),
            counted_at: match cohort {
                Cohort::Closed => closed_at.0,
                Cohort::Sent => sent_at.unwrap_or(closed_at.0),
            },
        }
    });
    Ok(rows.collect())
}

/// What the counted answers of a period are about. One query.
pub fn causes(conn: &mut Conn, period: &Period, filter: Filter) -> Result<CauseTally> {
    use survey_responses as r;
    let query = r::table
        .inner_join(survey_invitations::table.on(survey_invitations::id.eq(r::invitation_id)))
        .left_join(survey_reviews::table.on(survey_reviews::response_id.eq(r::id)))
        .filter(r::answered_at.ge(Time(period.from)).and(r::answered_at.lt(Time(period.to))))
        .filter(survey_invitations::kind.eq(Named(filter.kind)))
        .into_boxed();
    let query = filtered!(query, filter, survey_invitations, assignee_id);
    let columns = (r::score, (survey_reviews::state, survey_reviews::causes).nullable());
    let mut tally = CauseTally::default();
    type Row = (i32, Option<(Named<ReviewState>, Json)>);
    for row in query.select(columns).load_iter::<Row, DefaultLoadingMode>(conn)? {
        let (value, review) = row?;
        let is_reviewed = review.as_ref().is_some_and(|(state, _)| state.0 == ReviewState::Reviewed);
        let named = review.map_or(Ok(Vec::new()), |(_, causes)| causes.to())?;
        tally.add(score(value)?, is_reviewed, named);
    }
    Ok(tally)
}
