//! The queue in the database: put in, claim by lease, end, put back, park, release.
use super::JobKind;
use crate::Result;
use crate::db::{
    Conn,
    schema::jobs,
    types::{Named, Time, Uid},
};
use crate::each;
use crate::ids::JobId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// What a job is about: a mail, an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Uid)]
pub struct SubjectId(pub Uuid);
crate::db::types::uid_column!(SubjectId);

/// A claimed job.
#[derive(Queryable, Debug, Clone)]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// What is to be done.
    pub kind: Named<JobKind>,
    /// To what.
    pub subject_id: SubjectId,
    /// Tries so far, this one included.
    pub attempts: i32,
}

/// Puts a job in, in the transaction of the verb that wants it. One insert.
pub fn enqueue(conn: &mut Conn, kind: JobKind, subject: Uuid, due_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    each!(conn, conn => diesel::insert_into(jobs::table)
        .values((
            jobs::id.eq(JobId::new()),
            jobs::kind.eq(Named(kind)),
            jobs::subject_id.eq(SubjectId(subject)),
            jobs::due_at.eq(Time(due_at)),
            jobs::attempts.eq(0),
            jobs::created_at.eq(Time(now)),
        ))
        .execute(conn))?;
    Ok(())
}

/// Puts many of one kind in: each with its subject and when it is due. One insert.
pub fn enqueue_each(conn: &mut Conn, kind: JobKind, wanted: &[(Uuid, DateTime<Utc>)], now: DateTime<Utc>) -> Result<()> {
    let rows: Vec<_> = wanted
        .iter()
        .map(|(subject, due_at)| {
            (
                jobs::id.eq(JobId::new()),
                jobs::kind.eq(Named(kind)),
                jobs::subject_id.eq(SubjectId(*subject)),
                jobs::due_at.eq(Time(*due_at)),
                jobs::attempts.eq(0),
                jobs::created_at.eq(Time(now)),
            )
        })
        .collect();
    each!(conn, conn => diesel::insert_into(jobs::table).values(&rows).execute(conn))?;
    Ok(())
}

/// Puts a job in for `due_at`, unless one of its kind and subject waits to be taken between `now` and then.
pub fn ensure(conn: &mut Conn, kind: JobKind, subject: Uuid, due_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    let waiting = jobs::subject_id
        .eq(SubjectId(subject))
        .and(jobs::kind.eq(Named(kind)))
        .and(jobs::parked_at.is_null())
        .and(jobs::due_at.gt(Time(now)))
        .and(jobs::due_at.le(Time(due_at)));
    let found: Option<JobId> = jobs::table.filter(waiting).select(jobs::id).first(conn).optional()?;
    if found.is_some() { Ok(()) } else { enqueue(conn, kind, subject, due_at, now) }
}

/// Jobs of a kind that wait to be due within a time and were never tried. One query.
pub fn put_off(
    conn: &mut Conn,
    kind: JobKind,
    (after, until): (DateTime<Utc>, DateTime<Utc>),
    limit: usize,
) -> Result<Vec<JobId>> {
    let waits = jobs::parked_at
        .is_null()
        .and(jobs::due_at.gt(Time(after)))
        .and(jobs::due_at.le(Time(until)))
        .and(jobs::kind.eq(Named(kind)))
        .and(jobs::attempts.eq(0));
    Ok(jobs::table.filter(waits).order(jobs::due_at).limit(limit as i64).select(jobs::id).load(conn)?)
}

/// These jobs are due now. One update.
pub fn hasten(conn: &mut Conn, ids: &[JobId], now: DateTime<Utc>) -> Result<()> {
    let untried = jobs::id.eq_any(ids).and(jobs::attempts.eq(0));
    diesel::update(jobs::table.filter(untried)).set(jobs::due_at.eq(Time(now))).execute(conn)?;
    Ok(())
}

macro_rules! free {
    ($now:expr) => {
        jobs::parked_at
            .is_null()
            .and(jobs::due_at.le(Time($now)))
            .and(jobs::lease_until.is_null().or(jobs::lease_until.le(Time($now))))
    };
}

/// Whether a job waits to be taken. One look at the index.
pub fn is_any_due(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool> {
    let found: Option<JobId> = jobs::table.filter(free!(now)).select(jobs::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// Takes up to `limit` due jobs until `lease_until`; another node gets none of them before. One query and an update each.
/// `busy` are the caller's own that still run: where the clock stepped, their leases look past, and they are not taken twice.
pub fn claim(conn: &mut Conn, now: DateTime<Utc>, lease_until: DateTime<Utc>, limit: usize, busy: &[JobId]) -> Result<Vec<Job>> {
    let due: Vec<Job> = jobs::table
        .filter(free!(now))
        .order(jobs::due_at)
        .limit((limit + busy.len()) as i64)
        .select((jobs::id, jobs::kind, jobs::subject_id, jobs::attempts))
        .load(conn)?;
    let mut claimed = Vec::with_capacity(due.len());
    for mut job in due.into_iter().filter(|job| !busy.contains(&job.id)).take(limit) {
        job.attempts += 1;
        let taken = diesel::update(jobs::table.find(job.id).filter(free!(now)))
            .set((jobs::lease_until.eq(Time(lease_until)), jobs::attempts.eq(job.attempts)))
            .execute(conn)?;
        if taken == 1 {
            claimed.push(job);
        }
    }
    Ok(claimed)
}

/// A job as this worker claimed it: after its lease ran out somebody else's claim has another number of attempts.
macro_rules! held {
    ($job:expr) => {
        jobs::table.find($job.id).filter(jobs::attempts.eq($job.attempts))
    };
}

/// The job is done.
pub fn finish(conn: &mut Conn, job: &Job) -> Result<()> {
    diesel::delete(held!(job)).execute(conn)?;
    Ok(())
}

/// The job is to be tried again at `due_at`.
pub fn put_back(conn: &mut Conn, job: &Job, due_at: DateTime<Utc>, error: &str) -> Result<()> {
    diesel::update(held!(job))
        .set((jobs::due_at.eq(Time(due_at)), jobs::lease_until.eq(None::<Time>), jobs::last_error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// The job was not tried, which counts for no attempt: it is due at `due_at`.
pub fn postpone(conn: &mut Conn, job: &Job, due_at: DateTime<Utc>) -> Result<()> {
    diesel::update(held!(job))
        .set((jobs::due_at.eq(Time(due_at)), jobs::lease_until.eq(None::<Time>), jobs::attempts.eq(job.attempts - 1)))
        .execute(conn)?;
    Ok(())
}

/// The job waits for a person; false where somebody else has it by now.
pub fn park(conn: &mut Conn, job: &Job, now: DateTime<Utc>, error: &str) -> Result<bool> {
    let parked = diesel::update(held!(job))
        .set((jobs::parked_at.eq(Time(now)), jobs::lease_until.eq(None::<Time>), jobs::last_error.eq(error)))
        .execute(conn)?;
    Ok(parked == 1)
}

/// A parked job is tried again now, from the first try on; says whether there was one.
pub fn release(conn: &mut Conn, subject: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let released = diesel::update(jobs::table.filter(jobs::subject_id.eq(SubjectId(subject)).and(jobs::parked_at.is_not_null())))
        .set((jobs::parked_at.eq(None::<Time>), jobs::due_at.eq(Time(now)), jobs::attempts.eq(0)))
        .execute(conn)?;
    Ok(released > 0)
}

/// Takes back a job that nobody can have begun: it is not due yet, and nobody holds it. False where it is too late.
pub fn withdraw(conn: &mut Conn, subject: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let waits = jobs::subject_id
        .eq(SubjectId(subject))
        .and(jobs::due_at.gt(Time(now)))
        .and(jobs::lease_until.is_null())
        .and(jobs::attempts.eq(0));
    Ok(diesel::delete(jobs::table.filter(waits)).execute(conn)? > 0)
}

/// Takes back a job that is no longer wanted.
pub fn cancel(conn: &mut Conn, subject: Uuid) -> Result<()> {
    diesel::delete(jobs::table.filter(jobs::subject_id.eq(SubjectId(subject)))).execute(conn)?;
    Ok(())
}

/// Jobs waiting and parked, for `/metrics`.
pub fn counts(conn: &mut Conn) -> Result<(i64, i64)> {
    let waiting = jobs::table.filter(jobs::parked_at.is_null()).count().get_result(conn)?;
    let parked = jobs::table.filter(jobs::parked_at.is_not_null()).count().get_result(conn)?;
    Ok((waiting, parked))
}
