//! What the weekly digest tells, read on one snapshot.
use super::asked::{Asked, Compared, Filter, Period};
use super::queries;
use crate::db::schema::{clocks, survey_reviews, tickets};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::digest::model::{Breach, Facts, Week};
use crate::error::{Error, Result};
use crate::sla::clock::Metric;
use crate::surveys::model::ReviewState;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

fn asked(period: Period) -> Result<Asked> {
    Asked::new(period, Filter::default(), None).map_err(|error| Error::internal(error.message))
}

/// The figures of a week and of the one before, its breaches, and the reviews that wait. Eight queries.
pub fn facts(conn: &mut Conn, week: &Week, now: DateTime<Utc>) -> Result<Facts> {
    let Compared { from, to } = week.period.before();
    let (this, before) = (asked(week.period)?, asked(Period { from, to, ..week.period })?);
    let waiting = survey_reviews::table.filter(survey_reviews::state.ne(Named(ReviewState::Reviewed)));
    let reviews_waiting: i64 = waiting.count().get_result(conn)?;
    let reviews_overdue: i64 = waiting.filter(survey_reviews::due_at.lt(Time(now))).count().get_result(conn)?;
    Ok(Facts {
        sla: queries::sla(conn, &this, now)?.whole,
        sla_before: queries::sla(conn, &before, now)?.whole,
        nps: queries::nps(conn, &this, Some(Compared { from, to }))?.whole,
        breaches: breaches(conn, week.period, now)?,
        reviews_waiting: reviews_waiting.unsigned_abs(),
        reviews_overdue: reviews_overdue.unsigned_abs(),
    })
}

type BreachColumns = (i64, String, Named<Metric>, Option<Time>, Option<Time>);

/// Promises that began in a period and are broken, the latest first. One query.
fn breaches(conn: &mut Conn, period: Period, now: DateTime<Utc>) -> Result<Vec<Breach>> {
    let rows: Vec<BreachColumns> = clocks::table
        .inner_join(tickets::table.on(tickets::id.eq(clocks::ticket_id)))
        .filter(clocks::started_at.ge(Time(period.from)).and(clocks::started_at.lt(Time(period.to))))
        .filter(clocks::breached_at.is_not_null())
        .select((tickets::number, tickets::subject, clocks::metric, clocks::breached_at, clocks::reached_at))
        .load(conn)?;
    let breaches = rows.into_iter().filter_map(|(ticket_number, subject, metric, breached_at, reached_at)| {
        let until = reached_at.map_or(now, |at| at.0);
        let late_seconds = (until - breached_at?.0).num_seconds();
        Some(Breach { ticket_number, subject, metric: metric.0, late_seconds, is_open: reached_at.is_none() })
    });
    let mut breaches: Vec<Breach> = breaches.collect();
    breaches.sort_by_key(|breach| (std::cmp::Reverse(breach.late_seconds), breach.ticket_number));
    Ok(breaches)
}
