//! Policy rows and their versions.
use super::model::Policy;
use super::wire::PolicyDefinition;
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::{policies, policy_versions},
    types::{Json, JsonText, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::PolicyId;
use crate::memo::Memo;
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A policy as people edit it, at its current version.
#[derive(Debug, Clone)]
pub struct Edited {
    pub id: PolicyId,
    pub name: String,
    pub position: i32,
    pub is_active: bool,
    pub version: i32,
    pub definition: PolicyDefinition,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

type Row = (PolicyId, String, i32, bool, i32, Json, Time, Time);

fn from_row((id, name, position, is_active, version, definition, created_at, updated_at): Row) -> Result<Edited> {
    let definition = definition.to()?;
    Ok(Edited { id, name, position, is_active, version, definition, created_at: created_at.0, updated_at: updated_at.0 })
}

macro_rules! current {
    () => {
        policies::table
            .inner_join(
                policy_versions::table
                    .on(policy_versions::policy_id.eq(policies::id).and(policy_versions::version.eq(policies::version))),
            )
            .select((
                policies::id,
                policies::name,
                policies::position,
                policies::is_active,
                policies::version,
                policy_versions::definition,
                policies::created_at,
                policies::updated_at,
            ))
    };
}

static DEFINITIONS: Memo<PolicyDefinition> = Memo::new();

/// The active policies in the order in which they are asked. One query.
pub fn in_force(conn: &mut Conn) -> Result<Vec<Policy>> {
    let found = current!().filter(policies::is_active.eq(true)).order((policies::position, policies::id)).select((
        policies::id,
        policies::version,
        policy_versions::definition,
    ));
    let rows: Vec<(PolicyId, i32, JsonText)> = each!(conn, conn => found.load(conn))?;
    let read = |(id, version, definition): (PolicyId, i32, JsonText)| {
        let definition = DEFINITIONS.get(definition.0, |text| Ok(serde_json::from_str(text)?))?;
        Ok(PolicyDefinition::clone(&definition).policy(id, version))
    };
    rows.into_iter().map(read).collect()
}

/// One by id. One query.
pub fn find(conn: &mut Conn, id: PolicyId) -> Result<Edited> {
    let row: Option<Row> = current!().filter(policies::id.eq(id)).first(conn).optional()?;
    from_row(row.ok_or(Error::NotFound("policy"))?)
}

/// A page after `after`, by position. One query.
pub fn list(conn: &mut Conn, after: Option<(i32, PolicyId)>, limit: i64) -> Result<Vec<Edited>> {
    let mut query = current!().order((policies::position, policies::id)).limit(limit).into_boxed();
    if let Some((position, id)) = after {
        query = query.filter(policies::position.gt(position).or(policies::position.eq(position).and(policies::id.gt(id))));
    }
    query.load::<Row>(conn)?.into_iter().map(from_row).collect()
}

fn write_version(conn: &mut Conn, policy: &Edited, now: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(policy_versions::table)
        .values((
            policy_versions::policy_id.eq(policy.id),
            policy_versions::version.eq(policy.version),
            policy_versions::definition.eq(Json::of(&policy.definition)?),
            policy_versions::created_at.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(())
}

fn check(conn: &mut Conn, policy: &Edited) -> Result<()> {
    if let Some(id) = policy.definition.calendar_id
        && crate::calendar::find(conn, id)?.is_none()
    {
        return Err(Error::field("definition.calendar_id", "unknown_calendar", "is no calendar"));
    }
    let errors: Vec<_> = policy.definition.errors().into_iter().map(|error| error.within("definition")).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn name_taken() -> Error {
    Error::conflict("name_taken", "another policy has this name")
}

/// Writes a new policy with its first version. Up to three queries.
pub fn insert_policy(
    conn: &mut Conn,
    (name, position, is_active): (String, i32, bool),
    definition: PolicyDefinition,
    now: DateTime<Utc>,
) -> Result<Edited> {
    let policy =
        Edited { id: PolicyId::new(), name, position, is_active, version: 1, definition, created_at: now, updated_at: now };
    check(conn, &policy)?;
    let written = diesel::insert_into(policies::table)
        .values((
            policies::id.eq(policy.id),
            policies::name.eq(&policy.name),
            policies::position.eq(policy.position),
            policies::is_active.eq(policy.is_active),
            policies::version.eq(policy.version),
            policies::created_at.eq(Time(now)),
            policies::updated_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 {
        return Err(name_taken());
    }
    write_version(conn, &policy, now)?;
    Ok(policy)
}

/// Changes a policy: a new version; what runs keeps the one it began under. Up to five queries.
pub fn update(conn: &mut Conn, id: PolicyId, seen: Seen, now: DateTime<Utc>, change: impl FnOnce(&mut Edited)) -> Result<Edited> {
    let mut policy = find(conn, id)?;
    seen.check(policy.version)?;
    change(&mut policy);
    check(conn, &policy)?;
    let before = policy.version;
    policy.version += 1;
    policy.updated_at = now;
    let changing = diesel::update(policies::table.find(id).filter(policies::version.eq(before))).set((
        policies::name.eq(&policy.name),
        policies::position.eq(policy.position),
        policies::is_active.eq(policy.is_active),
        policies::version.eq(policy.version),
        policies::updated_at.eq(Time(now)),
    ));
    if or_taken(conn, name_taken, |conn| changing.execute(conn))? == 0 {
        return Err(Error::Stale { current: before + 1 });
    }
    write_version(conn, &policy, now)?;
    Ok(policy)
}

/// Removes a policy under which no clock ever ran; one that was used can be made inactive.
pub fn remove(conn: &mut Conn, id: PolicyId, seen: Seen) -> Result<()> {
    use crate::db::schema::clocks;
    seen.check(find(conn, id)?.version)?;
    let used = clocks::table.filter(clocks::policy_id.eq(id)).select(clocks::id).first::<crate::ids::ClockId>(conn).optional()?;
    if used.is_some() {
        return Err(Error::conflict("in_use", "a recorded promise ran under this policy: make it inactive instead"));
    }
    diesel::delete(policies::table.find(id)).execute(conn)?;
    Ok(())
}
