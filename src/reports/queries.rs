//! The rows behind the figures, read once and counted on the way.
//!
//! Cost: linear in the rows of the period, whatever is older. Each query is one range of an index on time
//! (`clocks_by_start`, `survey_responses_by_time`, `survey_invitations_by_sent`); it reads the columns that are counted
//! and, of the five that a report can be divided by, the one that is asked for. Names are read afterwards, for the
//! groups that occur.
use super::asked::{Asked, Bucket, Compared, Filter, GroupBy, Period, bucket_of};
use super::figures::{ClockFact, Groups, Key, Names, NpsTally, SlaTallies};
use crate::db::schema::{agents, clocks, organizations, survey_invitations, survey_responses, teams};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, OrganizationId, TeamId, TicketId};
use crate::sla::clock::{Metric, Standing};
use crate::surveys::score::Score;
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use diesel::connection::DefaultLoadingMode;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::HashMap;
use uuid::Uuid;

/// Ids in one query for names: far below what either database allows.
const IDS_MAX: usize = 5_000;

impl From<Named<Channel>> for Key {
    fn from(channel: Named<Channel>) -> Self {
        channel.0.into()
    }
}
impl From<Named<Priority>> for Key {
    fn from(priority: Named<Priority>) -> Self {
        priority.0.into()
    }
}

/// The query with the filters that are set; the tables call the agent's column differently.
macro_rules! filtered {
    ($query:expr, $filter:expr, $table:ident, $agent:ident) => {{
        let mut query = $query;
        let Filter { channel, priority, team_id, agent_id, organization_id, kind: _ } = $filter;
        if let Some(channel) = channel {
            query = query.filter($table::channel.eq(Named(channel)));
        }
        if let Some(priority) = priority {
            query = query.filter($table::priority.eq(Named(priority)));
        }
        if let Some(id) = team_id {
            query = query.filter($table::team_id.eq(id));
        }
        if let Some(id) = agent_id {
            query = query.filter($table::$agent.eq(id));
        }
        if let Some(id) = organization_id {
            query = query.filter($table::organization_id.eq(id));
        }
        query
    }};
}
pub(super) use filtered;

/// Gives each row to `take`, with the column that the report is divided by, where it is one.
macro_rules! each_row {
    ($conn:expr, $query:expr, $columns:expr => $row:ty, $table:ident, $agent:ident, $by:expr, $take:expr) => {
        match $by {
            Some(GroupBy::Channel) => each_row!($conn, $query, $columns => $row, $table::channel => Named<Channel>, $take),
            Some(GroupBy::Priority) => each_row!($conn, $query, $columns => $row, $table::priority => Named<Priority>, $take),
            Some(GroupBy::Team) => each_row!($conn, $query, $columns => $row, $table::team_id => Option<TeamId>, $take),
            Some(GroupBy::Agent) => each_row!($conn, $query, $columns => $row, $table::$agent => Option<AgentId>, $take),
            Some(GroupBy::Organization) => {
                each_row!($conn, $query, $columns => $row, $table::organization_id => Option<OrganizationId>, $take)
            }
            Some(GroupBy::Day | GroupBy::Week | GroupBy::Month) | None => {
                for row in $query.select($columns).load_iter::<$row, DefaultLoadingMode>($conn)? {
                    $take(row?, Key::Whole)?;
                }
            }
        }
    };
    ($conn:expr, $query:expr, $columns:expr => $row:ty, $column:expr => $kind:ty, $take:expr) => {
        for row in $query.select(($columns, $column)).load_iter::<($row, $kind), DefaultLoadingMode>($conn)? {
            let (row, group) = row?;
            $take(row, Key::from(group))?;
        }
    };
}

pub(super) use each_row;

#[derive(Queryable, Selectable)]
#[diesel(table_name = clocks)]
struct ClockSlim {
    ticket_id: TicketId,
    metric: Named<Metric>,
    cycle: i32,
    standing: Named<Standing>,
    reason: Option<String>,
    started_at: Time,
    due_at: Option<Time>,
    breached_at: Option<Time>,
    used_seconds: Option<i64>,
}

/// The key of a row: its bucket where the report is divided by time.
pub(super) fn key(buckets: &[Bucket], at: DateTime<Utc>, group: Key) -> Key {
    if buckets.is_empty() { group } else { Key::Bucket(bucket_of(buckets, at)) }
}

/// The condition of the index `clocks_by_reopening`, word for word: SQLite uses it for no other text.
pub(super) const IS_REOPENED: &str = "clocks.metric = 'resolution' AND clocks.cycle > 1";

/// The newest cycle of each resolution that began again since `from`. One range of an index that has only those.
fn reopened_since(conn: &mut Conn, from: DateTime<Utc>) -> Result<HashMap<TicketId, i32>> {
    let rows: Vec<(TicketId, i32)> = clocks::table
        .filter(sql::<Bool>(IS_REOPENED))
        .filter(clocks::started_at.ge(Time(from)))
        .select((clocks::ticket_id, clocks::cycle))
        .load(conn)?;
    Ok(newest(rows))
}

/// The highest cycle of each ticket.
pub(super) fn newest(rows: Vec<(TicketId, i32)>) -> HashMap<TicketId, i32> {
    let mut newest = HashMap::with_capacity(rows.len());
    for (ticket, cycle) in rows {
        newest.entry(ticket).and_modify(|known: &mut i32| *known = cycle.max(*known)).or_insert(cycle);
    }
    newest
}

/// How the promises that began in the period stand at `now`. Two queries.
pub fn sla(conn: &mut Conn, asked: &Asked, now: DateTime<Utc>) -> Result<Groups<SlaTallies>> {
    let Period { from, to, .. } = asked.period;
    let reopened = reopened_since(conn, from)?;
    let in_period = clocks::started_at.ge(Time(from)).and(clocks::started_at.lt(Time(to)));
    let query = filtered!(clocks::table.filter(in_period).into_boxed(), asked.filter, clocks, agent_id);
    let mut groups = Groups::<SlaTallies>::default();
    let mut take = |row: ClockSlim, group: Key| -> Result<()> {
        let ClockSlim { ticket_id, metric, cycle, standing, reason, started_at, due_at, breached_at, used_seconds } = row;
        let fact = ClockFact {
            metric: metric.0,
            standing: standing.0,
            reason,
            due_at: due_at.map(|at| at.0),
            is_breached: breached_at.is_some(),
            used_seconds,
            is_first: cycle == 1,
            is_last: metric.0 == Metric::Resolution && reopened.get(&ticket_id).is_none_or(|newest| cycle >= *newest),
        };
        groups.add(key(&asked.buckets, started_at.0, group), |tallies| tallies.add(&fact, now));
        Ok(())
    };
    each_row!(conn, query, ClockSlim::as_select() => ClockSlim, clocks, agent_id, asked.group_by, take);
    Ok(groups)
}

pub(super) fn score(value: i32) -> Result<Score> {
    u8::try_from(value)
        .ok()
        .and_then(|value| Score::new(value).ok())
        .ok_or_else(|| Error::internal(format!("a stored score is {value}")))
}

/// What the answers of the period and of the one it is compared with say, and what came back of the letters sent in the
/// period. Two queries, or three with a comparison.
pub fn nps(conn: &mut Conn, asked: &Asked, compared: Option<Compared>) -> Result<Groups<NpsTally>> {
    let mut groups = Groups::<NpsTally>::default();
    answered(conn, asked, asked.period, |at, score, has_comment, group| {
        groups.add(key(&asked.buckets, at, group), |tally| tally.add_answer(score, has_comment));
    })?;
    sent(conn, asked, &mut groups)?;
    if let Some(Compared { from, to }) = compared {
        let period = Period { from, to, ..asked.period };
        answered(conn, asked, period, |_, score, _, group| groups.add(group, |tally| tally.before.add(score)))?;
        // A group that only was is no group of this period.
        groups.by_key.retain(|_, tally| !tally.is_empty());
    }
    Ok(groups)
}

/// Gives each answer of a period to `count`: when, which, whether with a comment, of which group. One query.
fn answered(
    conn: &mut Conn,
    asked: &Asked,
    Period { from, to, .. }: Period,
    mut count: impl FnMut(DateTime<Utc>, Score, bool, Key),
) -> Result<()> {
    let in_period = survey_responses::answered_at.ge(Time(from)).and(survey_responses::answered_at.lt(Time(to)));
    let query = survey_responses::table
        .inner_join(survey_invitations::table.on(survey_invitations::id.eq(survey_responses::invitation_id)))
        .filter(in_period)
        // What looks machine-made counts once a person has confirmed it.
        .filter(survey_responses::is_counted.eq(true))
        .filter(survey_invitations::kind.eq(Named(asked.filter.kind)))
        .into_boxed();
    let query = filtered!(query, asked.filter, survey_invitations, assignee_id);
    let columns = (survey_responses::score, survey_responses::answered_at, survey_responses::comment.ne(""));
    let mut take = |(value, at, has_comment): (i32, Time, bool), group: Key| -> Result<()> {
        count(at.0, score(value)?, has_comment, group);
        Ok(())
    };
    each_row!(conn, query, columns => (i32, Time, bool), survey_invitations, assignee_id, asked.group_by, take);
    Ok(())
}

/// Adds the letters sent in the period, each with its answer. One query.
fn sent(conn: &mut Conn, asked: &Asked, groups: &mut Groups<NpsTally>) -> Result<()> {
    let Period { from, to, .. } = asked.period;
    let in_period = survey_invitations::sent_at.ge(Time(from)).and(survey_invitations::sent_at.lt(Time(to)));
    let query = survey_invitations::table
        .left_join(
            survey_responses::table
                .on(survey_responses::invitation_id.eq(survey_invitations::id).and(survey_responses::is_counted.eq(true))),
        )
        .filter(in_period)
        .filter(survey_invitations::kind.eq(Named(asked.filter.kind)))
        .into_boxed();
    let query = filtered!(query, asked.filter, survey_invitations, assignee_id);
    let columns = (
        survey_invitations::sent_at,
        survey_invitations::bounced_at,
        survey_invitations::is_answered,
        survey_responses::score.nullable(),
    );
    type SentRow = (Option<Time>, Option<Time>, bool, Option<i32>);
    let mut take = |(at, bounced_at, is_answered, value): SentRow, group: Key| -> Result<()> {
        let is_bounced = bounced_at.is_some() && !is_answered;
        let score = value.map(score).transpose()?;
        let at = at.map_or(from, |at| at.0);
        groups.add(key(&asked.buckets, at, group), |tally| tally.add_sent(score.is_some(), is_bounced, score));
        Ok(())
    };
    each_row!(conn, query, columns => SentRow, survey_invitations, assignee_id, asked.group_by, take);
    Ok(())
}

/// The names of the groups that occur, where they have an id. One query a [`IDS_MAX`] of them.
pub fn names<T>(conn: &mut Conn, group_by: Option<GroupBy>, groups: &Groups<T>) -> Result<Names> {
    let ids: Vec<Uuid> = groups.by_key.keys().filter_map(|key| if let Key::Id(id) = key { *id } else { None }).collect();
    let mut names = Names::new();
    macro_rules! load {
        ($chunk:expr, $table:ident, $id:ident) => {{
            let ids: Vec<$id> = $chunk.iter().copied().map($id).collect();
            let rows =
                $table::table.filter($table::id.eq_any(ids)).select(($table::id, $table::name)).load::<($id, String)>(conn)?;
            names.extend(rows.into_iter().map(|(id, name)| (id.0, name)));
        }};
    }
    for chunk in ids.chunks(IDS_MAX) {
        match group_by {
            Some(GroupBy::Team) => load!(chunk, teams, TeamId),
            Some(GroupBy::Agent) => load!(chunk, agents, AgentId),
            Some(GroupBy::Organization) => load!(chunk, organizations, OrganizationId),
            Some(GroupBy::Channel | GroupBy::Priority | GroupBy::Day | GroupBy::Week | GroupBy::Month) | None => {}
        }
    }
    Ok(names)
}
