//! Token rows.
use crate::accounts::caller::Caller;
use crate::accounts::rights::{self, Right, Role, Scope};
use crate::db::{
    Conn,
    schema::{agents, tokens},
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, Secret, TokenId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// What a new token is for.
pub struct NewToken {
    /// Whose; none for machines.
    pub agent_id: Option<AgentId>,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token as stored; its secret is not among it.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = tokens)]
#[expect(missing_docs, reason = "columns")]
pub struct TokenRow {
    pub id: TokenId,
    pub agent_id: Option<AgentId>,
    pub name: String,
    pub scopes: String,
    pub expires_at: Option<Time>,
    pub revoked_at: Option<Time>,
    pub last_used_at: Option<Time>,
    pub created_at: Time,
}

/// The scopes that a row lists.
pub fn scopes(text: &str) -> Result<Vec<Scope>> {
    text.split_whitespace().map(|name| Ok(name.parse()?)).collect()
}

/// Writes a token and gives its secret, which can never be read again. Two queries.
pub fn create(conn: &mut Conn, new: &NewToken, now: DateTime<Utc>) -> Result<(TokenRow, Secret)> {
    match new.agent_id {
        Some(id) => {
            let role: Option<Named<Role>> =
                agents::table.find(id).filter(agents::disabled_at.is_null()).select(agents::role).first(conn).optional()?;
            let role = role.ok_or_else(|| Error::field("agent_id", "unknown_agent", "is no active agent"))?.0;
            if let Some(scope) = new.scopes.iter().find(|scope| !rights::can_hold(role, **scope)) {
                return Err(Error::field("scopes", "beyond_role", format!("{scope} cannot be held by an agent of role {role}")));
            }
        }
        None => {
            if let Some(scope) = new.scopes.iter().find(|scope| !rights::is_machine(**scope)) {
                return Err(Error::field("scopes", "needs_agent", format!("{scope} needs an agent_id")));
            }
        }
    }
    let secret = Secret::new()?;
    let names: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
    let row = TokenRow {
        id: TokenId::new(),
        agent_id: new.agent_id,
        name: new.name.clone(),
        scopes: names.join(" "),
        expires_at: new.expires_at.map(Time),
        revoked_at: None,
        last_used_at: None,
        created_at: Time(now),
    };
    diesel::insert_into(tokens::table)
        .values((
            tokens::id.eq(row.id),
            tokens::agent_id.eq(row.agent_id),
            tokens::name.eq(&row.name),
            tokens::scopes.eq(&row.scopes),
            tokens::secret_hash.eq(secret.digest()),
            tokens::expires_at.eq(row.expires_at),
            tokens::created_at.eq(row.created_at),
        ))
        .execute(conn)?;
    Ok((row, secret))
}

/// Who shows a token, and when the token ends by itself.
type Shown = (Caller, Option<DateTime<Utc>>);

/// Who shows this token at `now`; `None` for unknown, expired, revoked, or a disabled agent's. One query.
pub fn find_caller(conn: &mut Conn, secret_hash: &[u8], now: DateTime<Utc>) -> Result<Option<Shown>> {
    type Row = (TokenId, String, Option<AgentId>, Option<Time>, Option<Named<Role>>, Option<Time>);
    let row: Option<Row> = tokens::table
        .left_join(agents::table.on(agents::id.nullable().eq(tokens::agent_id)))
        .filter(tokens::secret_hash.eq(secret_hash).and(tokens::revoked_at.is_null()))
        .select((
            tokens::id,
            tokens::scopes,
            tokens::agent_id,
            tokens::expires_at,
            agents::role.nullable(),
            agents::disabled_at.nullable(),
        ))
        .first(conn)
        .optional()?;
    let Some((token_id, names, agent_id, expires_at, role, disabled_at)) = row else {
        return Ok(None);
    };
    if expires_at.is_some_and(|at| at.0 <= now) || disabled_at.is_some() {
        return Ok(None);
    }
    let agent = agent_id.zip(role.map(|role| role.0));
    // The role may have become less since the token was made.
    let scopes =
        scopes(&names)?.into_iter().filter(|scope| agent.is_none_or(|(_, role)| rights::can_hold(role, *scope))).collect();
    Ok(Some((Caller { token_id, scopes, agent }, expires_at.map(|at| at.0))))
}

/// Which of these tokens still have the right to work at `now`. One query.
pub fn working(conn: &mut Conn, ids: &[TokenId], now: DateTime<Utc>) -> Result<HashSet<TokenId>> {
    let rows: Vec<(TokenId, String, Option<Named<Role>>)> = tokens::table
        .left_join(agents::table.on(agents::id.nullable().eq(tokens::agent_id)))
        .filter(tokens::id.eq_any(ids).and(tokens::revoked_at.is_null()).and(agents::disabled_at.is_null()))
        .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(Time(now))))
        .select((tokens::id, tokens::scopes, agents::role.nullable()))
        .load(conn)?;
    let mut good = HashSet::new();
    for (id, names, role) in rows {
        let may_hold = |scope| role.as_ref().is_none_or(|role| rights::can_hold(role.0, scope));
        if scopes(&names)?.into_iter().any(|scope| may_hold(scope) && rights::grants(scope, Right::Work)) {
            good.insert(id);
        }
    }
    Ok(good)
}

/// A page of tokens after `after`. One query.
pub fn list(conn: &mut Conn, agent: Option<AgentId>, after: Option<TokenId>, limit: i64) -> Result<Vec<TokenRow>> {
    let mut query = tokens::table.select(TokenRow::as_select()).order(tokens::id).limit(limit).into_boxed();
    if let Some(agent) = agent {
        query = query.filter(tokens::agent_id.eq(agent));
    }
    if let Some(after) = after {
        query = query.filter(tokens::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Ends a token; ending it twice changes nothing, and says false. One query.
pub fn revoke(conn: &mut Conn, id: TokenId, now: DateTime<Utc>) -> Result<bool> {
    let ended = diesel::update(tokens::table.find(id).filter(tokens::revoked_at.is_null()))
        .set(tokens::revoked_at.eq(Time(now)))
        .execute(conn)?;
    if ended == 0 {
        let known: Option<TokenId> = tokens::table.find(id).select(tokens::id).first(conn).optional()?;
        known.ok_or(Error::NotFound("token"))?;
    }
    Ok(ended > 0)
}

/// Writes down when tokens were last used: one update for each token used in the last minute.
pub fn note_uses(conn: &mut Conn, uses: &HashMap<TokenId, DateTime<Utc>>) -> Result<()> {
    for (id, at) in uses {
        diesel::update(tokens::table.find(id)).set(tokens::last_used_at.eq(Time(*at))).execute(conn)?;
    }
    Ok(())
}
