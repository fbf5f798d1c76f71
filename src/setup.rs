//! A first start: the shipped calendar, policies and an admin, so that the desk keeps its promises from its first minute.
use crate::accounts::rights::{Role, Scope};
use crate::accounts::{agents, tokens};
use crate::calendar::{self, wire::Definition};
use crate::db::{Conn, migrate};
use crate::error::Result;
use crate::sla;
use crate::sla::wire::PolicyDefinition;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The shipped calendar's name.
pub const CALENDAR: &str = "Support hours";
/// Address of the first admin.
pub const ADMIN_EMAIL: &str = "admin@localhost";

fn definition<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

/// What is published (DESIGN 3.4): America/Toronto, 08:00 to 20:00, every day.
fn hours() -> Value {
    let day = json!([{ "open": "08:00", "close": "20:00" }]);
    let week = json!({ "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day });
    json!({ "time_zone": "America/Toronto", "weekly": week })
}

fn promise(channel: &str, metric: &str, seconds: i64, mode: &str) -> Value {
    let target = json!({ "metric": metric, "seconds": seconds, "mode": mode, "warn_percent": 75 });
    json!({ "match": { "channels": [channel] }, "targets": [target] })
}

/// A call is picked up within 20 seconds; one that was missed, and a voicemail, are answered within 24 hours.
fn phone() -> Value {
    let mut policy = promise("phone", "pickup", 20, "when_open");
    let callback = json!({ "metric": "first_response", "seconds": 86_400, "mode": "always", "warn_percent": 75 });
    if let Some(targets) = policy.get_mut("targets").and_then(Value::as_array_mut) {
        targets.push(callback);
    }
    policy
}

/// Fills an empty database and gives the first admin's token; does nothing on one that has agents.
pub fn first_start(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<String>> {
    migrate::alone(conn)?;
    if agents::count(conn)? > 0 {
        return Ok(None);
    }
    let hours: Definition = definition(hours())?;
    calendar::insert(conn, CALENDAR.to_owned(), true, hours, now)?;
    let shipped = [
        ("Phone: a person within 20 seconds", phone()),
        ("Chat: a person within 20 seconds", promise("chat", "pickup", 20, "when_open")),
        ("Email: an answer within 24 hours", promise("email", "first_response", 86_400, "always")),
    ];
    for (position, (name, policy)) in (10..).step_by(10).zip(shipped) {
        let policy: PolicyDefinition = definition(policy)?;
        sla::insert_policy(conn, (name.to_owned(), position, true), policy, now)?;
    }
    let admin = agents::insert(conn, "Administrator", ADMIN_EMAIL, Role::Admin, now)?;
    let token = tokens::NewToken {
        agent_id: Some(admin.id),
        name: "First start".to_owned(),
        scopes: vec![Scope::Admin],
        expires_at: None,
    };
    let (_, secret) = tokens::create(conn, &token, now)?;
    Ok(Some(secret.reveal().to_owned()))
}
