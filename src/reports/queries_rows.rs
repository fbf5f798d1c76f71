//! The rows behind the figures, a page at a time: one range of the report's own index, in its order.
use super::asked::{Filter, Period};
use super::queries::{IS_REOPENED, filtered, newest};
use super::rows::{NpsRow, Place, RowsAsked, SlaRow};
use crate::db::schema::{clocks, survey_invitations, survey_responses, survey_reviews, tickets};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, ClockId, InvitationId, OrganizationId, PolicyId, ResponseId, TeamId, TicketId};
use crate::sla::clock::{Metric, Standing, verdict};
use crate::surveys::model::ReviewState;
use crate::tickets::model::{Channel, Priority};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

#[derive(Queryable, Selectable)]
#[diesel(table_name = clocks)]
struct ClockRow {
    id: ClockId,
    ticket_id: TicketId,
    metric: Named<Metric>,
    cycle: i32,
    policy_id: PolicyId,
    policy_version: i32,
    target_seconds: i64,
    standing: Named<Standing>,
    reason: Option<String>,
    started_at: Time,
    due_at: Option<Time>,
    warn_at: Option<Time>,
    breached_at: Option<Time>,
    reached_at: Option<Time>,
    used_seconds: Option<i64>,
    channel: Named<Channel>,
    priority: Named<Priority>,
    team_id: Option<TeamId>,
    agent_id: Option<AgentId>,
    organization_id: Option<OrganizationId>,
}

/// Promises that began in the period, oldest first. Two queries.
pub fn sla(conn: &mut Conn, asked: &RowsAsked, metric: Option<Metric>, after: Option<Place>, limit: i64) -> Result<Vec<SlaRow>> {
    let Period { from, to, .. } = asked.period;
    let query = clocks::table.inner_join(tickets::table.on(tickets::id.eq(clocks::ticket_id)));
    let from = after.map_or(from, |(at, _)| at);
    let in_period = clocks::started_at.ge(Time(from)).and(clocks::started_at.lt(Time(to)));
    let mut query = filtered!(query.filter(in_period).into_boxed(), asked.filter, clocks, agent_id);
    if let Some(metric) = metric {
        query = query.filter(clocks::metric.eq(Named(metric)));
    }
    if let Some((at, id)) = after {
        query = query.filter(clocks::started_at.gt(Time(at)).or(clocks::id.gt(ClockId(id))));
    }
    let rows: Vec<(ClockRow, i64)> =
        query.order((clocks::started_at, clocks::id)).limit(limit).select((ClockRow::as_select(), tickets::number)).load(conn)?;
    let ids: Vec<TicketId> = rows.iter().map(|(row, _)| row.ticket_id).collect();
    let newest_of = |conn: &mut Conn, metric: Metric| -> Result<_> {
        let of_these = clocks::table.filter(clocks::ticket_id.eq_any(&ids)).select((clocks::ticket_id, clocks::cycle));
        let later: Vec<(TicketId, i32)> = match metric {
            Metric::Resolution => of_these.filter(sql::<Bool>(IS_REOPENED)).load(conn)?,
            other => of_these.filter(clocks::metric.eq(Named(other)).and(clocks::cycle.gt(1))).load(conn)?,
        };
        Ok(newest(later))
    };
    let (resolutions, responses) = (newest_of(conn, Metric::Resolution)?, newest_of(conn, Metric::NextResponse)?);
    let rows = rows.into_iter().map(|(row, ticket_number)| {
        let newest = match row.metric.0 {
            Metric::Resolution => resolutions.get(&row.ticket_id),
            Metric::NextResponse => responses.get(&row.ticket_id),
            Metric::Pickup | Metric::FirstResponse => None,
        };
        let is_last = newest.is_none_or(|newest| row.cycle >= *newest);
        let at = |at: Option<Time>| at.map(|at| at.0);
        let (due_at, warn_at, breached_at) = (at(row.due_at), at(row.warn_at), at(row.breached_at));
        SlaRow {
            clock_id: row.id,
            ticket_id: row.ticket_id,
            ticket_number,
            metric: row.metric.0,
            cycle: row.cycle,
            is_last,
            channel: row.channel.0,
            priority: row.priority.0,
            team_id: row.team_id,
            agent_id: row.agent_id,
            organization_id: row.organization_id,
            policy_id: row.policy_id,
            policy_version: row.policy_version,
            started_at: row.started_at.0,
            target_seconds: row.target_seconds,
            due_at,
            breached_at,
            reached_at: at(row.reached_at),
            used_seconds: row.used_seconds,
            verdict: verdict(row.standing.0, (due_at, warn_at), breached_at.is_some(), asked.as_of),
            reason: row.reason,
        }
    });
    Ok(rows.collect())
}

type AnswerRow = (ResponseId, i32, String, Time);
type ReviewColumns = (Named<ReviewState>, Json);
type SnapshotRow = (
    InvitationId,
    Option<TicketId>,
    Option<Time>,
    Named<Channel>,
    Named<Priority>,
    Option<TeamId>,
    Option<AgentId>,
    Option<OrganizationId>,
);

/// Answers given in the period, oldest first. One query.
pub fn nps(conn: &mut Conn, asked: &RowsAsked, after: Option<Place>, limit: i64) -> Result<Vec<NpsRow>> {
    use survey_invitations as i;
    use survey_responses as r;
    let Period { from, to, .. } = asked.period;
    let from = after.map_or(from, |(at, _)| at);
    let query = r::table
        .inner_join(i::table.on(i::id.eq(r::invitation_id)))
        .left_join(tickets::table.on(tickets::id.nullable().eq(i::ticket_id)))
        .left_join(survey_reviews::table.on(survey_reviews::response_id.eq(r::id)))
        .filter(r::answered_at.ge(Time(from)).and(r::answered_at.lt(Time(to))))
        .filter(r::is_counted.eq(true).and(i::kind.eq(Named(asked.filter.kind))))
        .into_boxed();
    let mut query = filtered!(query, asked.filter, survey_invitations, assignee_id);
    if let Some((at, id)) = after {
        query = query.filter(r::answered_at.gt(Time(at)).or(r::id.gt(ResponseId(id))));
    }
    let rows: Vec<(AnswerRow, SnapshotRow, Option<i64>, Option<ReviewColumns>)> = query
        .order((r::answered_at, r::id))
        .limit(limit)
        .select((
            (r::id, r::score, r::comment, r::answered_at),
            (i::id, i::ticket_id, i::sent_at, i::channel, i::priority, i::team_id, i::assignee_id, i::organization_id),
            tickets::number.nullable(),
            (survey_reviews::state, survey_reviews::causes).nullable(),
        ))
        .load(conn)?;
    let rows = rows.into_iter().map(|(answer, snapshot, ticket_number, review)| {
        let (response_id, score, comment, answered_at) = answer;
        let (invitation_id, ticket_id, sent_at, channel, priority, team_id, agent_id, organization_id) = snapshot;
        let (review, causes) = review.map_or((None, Ok(Vec::new())), |(state, causes)| (Some(state.0), causes.to()));
        Ok(NpsRow {
            response_id,
            invitation_id,
            ticket_id,
            ticket_number,
            channel: channel.0,
            priority: priority.0,
            team_id,
            agent_id,
            organization_id,
            sent_at: sent_at.map(|at| at.0),
            answered_at: answered_at.0,
            score,
            comment,
            review,
            causes: causes?,
        })
    });
    rows.collect()
}
