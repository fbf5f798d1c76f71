//! Makes the departments, agents, resellers and contacts that the story needs.
use super::people::{AGENTS, AgentIx, Contact, RESELLERS, TEAMS, TeamCast, Week};
use super::story::ZONE;
use crate::Result;
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::contacts::{self, NewContact};
use crate::accounts::rights::{Role, Scope};
use crate::accounts::tokens::{self, NewToken};
use crate::accounts::{agents, organizations, teams};
use crate::calendar;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{AgentId, CalendarId, ContactId, Secret, TeamId, TokenId};
use crate::setup;
use crate::tickets::model::Channel;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use serde_json::{Value, json};

/// The exceptions of a calendar reach so many days back and ahead.
const EXCEPTION_DAYS: i64 = 120;

/// Who plays, by their places in the plan.
pub(super) struct Cast {
    agents: Vec<Agent>,
    teams: Vec<TeamId>,
    contacts: Vec<ContactId>,
    machines: [(Channel, Caller); 3],
}

fn missing(what: &str) -> Error {
    Error::internal(format!("the sample data names no {what}"))
}

impl Cast {
    /// The agent of that place.
    pub(super) fn agent(&self, place: AgentIx) -> Result<&Agent> {
        self.agents.get(place).ok_or_else(|| missing("agent"))
    }

    /// The agents, the admin last.
    pub(super) fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// The department of that place.
    pub(super) fn team(&self, place: usize) -> Result<TeamId> {
        self.teams.get(place).copied().ok_or_else(|| missing("team"))
    }

    /// The contact of that place.
    pub(super) fn contact(&self, place: usize) -> Result<ContactId> {
        self.contacts.get(place).copied().ok_or_else(|| missing("contact"))
    }

    /// The machine that takes in what comes by a channel.
    pub(super) fn machine(&self, channel: Channel) -> Result<&Caller> {
        self.machines.iter().find(|(of, _)| *of == channel).map(|(_, caller)| caller).ok_or_else(|| missing("machine"))
    }

    /// Fresh tokens for trying the desk as these agents.
    pub(super) fn tokens(&self, conn: &mut Conn, of: &[(AgentIx, Scope)], now: DateTime<Utc>) -> Result<Vec<Secret>> {
        let token = |(place, scope): &(AgentIx, Scope)| {
            let agent_id = Some(self.agent(*place)?.id());
            let new = NewToken { agent_id, name: "Sample data".to_owned(), scopes: vec![*scope], expires_at: None };
            Ok(tokens::create(conn, &new, now)?.1)
        };
        of.iter().map(token).collect()
    }
}

/// Makes all of them; they are there since `since`.
pub(super) fn make(conn: &mut Conn, people: &[Contact], since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Cast> {
    let machines = [
        (Channel::Phone, machine(conn, "Phone system", since)?),
        (Channel::Email, machine(conn, "Mail gate", since)?),
        (Channel::Chat, machine(conn, "Chat widget", since)?),
    ];
    let agents = make_agents(conn, since)?;
    let ids: Vec<AgentId> = agents.iter().map(Agent::id).collect();
    let mut team_ids = Vec::with_capacity(TEAMS.len());
    for team in &TEAMS {
        let calendar_id = make_calendar(conn, team, since, now)?;
        let members: Vec<AgentId> = team.members.iter().filter_map(|place| ids.get(*place).copied()).collect();
        team_ids.push(teams::insert(conn, team.name, calendar_id, &members, since)?.row.id);
    }
    Ok(Cast { contacts: make_contacts(conn, people, since)?, agents, teams: team_ids, machines })
}

fn machine(conn: &mut Conn, name: &str, since: DateTime<Utc>) -> Result<Caller> {
    let scopes = vec![Scope::Channel];
    let new = NewToken { agent_id: None, name: name.to_owned(), scopes: scopes.clone(), expires_at: None };
    let (row, _) = tokens::create(conn, &new, since)?;
    Ok(Caller { token_id: row.id, scopes, agent: None })
}

/// The agents; who is there already stays who they are, and so does the admin of the first start.
fn make_agents(conn: &mut Conn, since: DateTime<Utc>) -> Result<Vec<Agent>> {
    let mut made = Vec::with_capacity(AGENTS.len() + 1);
    for agent in &AGENTS {
        let row = match agents::find_by_email(conn, agent.email)? {
            Some(row) => row,
            None => agents::insert(conn, agent.name, agent.email, agent.role, since)?,
        };
        made.push(row);
    }
    let admin = agents::list_all(conn)?.into_iter().find(|row| row.role.0 == Role::Admin && row.disabled_at.is_none());
    made.push(match admin {
        Some(row) => row,
        None => agents::insert(conn, "Administrator", setup::ADMIN_EMAIL, Role::Admin, since)?,
    });
    let scope = |role: Role| match role {
        Role::Agent => Scope::Agent,
        Role::Manager => Scope::Manager,
        Role::Admin => Scope::Admin,
    };
    let acting = |row: agents::AgentRow| {
        Caller { token_id: TokenId::new(), scopes: vec![scope(row.role.0)], agent: Some((row.id, row.role.0)) }.as_agent()
    };
    made.into_iter().map(acting).collect::<Option<_>>().ok_or_else(|| missing("agent"))
}

/// Public holidays of the desk's country that have a rule, and half days.
fn holidays(year: i32) -> Vec<(NaiveDate, &'static str, bool)> {
    let on = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let monday = |month, which| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Mon, which);
    let before_may_25 = (18..=24).filter_map(|day| on(5, day)).find(|date| date.weekday() == Weekday::Mon);
    let all = [
        (on(1, 1), "New Year's Day", false),
        (monday(2, 3), "Family Day", false),
        (before_may_25, "Victoria Day", false),
        (on(7, 1), "Canada Day", false),
        (monday(8, 1), "Civic Holiday", false),
        (monday(9, 1), "Labour Day", false),
        (monday(10, 2), "Thanksgiving", false),
        (on(12, 24), "Christmas Eve", true),
        (on(12, 25), "Christmas Day", false),
        (on(12, 26), "Boxing Day", false),
        (on(12, 31), "New Year's Eve", true),
    ];
    all.into_iter().filter_map(|(date, name, is_half)| Some((date?, name, is_half))).collect()
}

/// A department's own hours, with the holidays near now; none where it keeps the desk's.
fn make_calendar(conn: &mut Conn, team: &TeamCast, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Option<CalendarId>> {
    let Some(Week { weekday: (open, close), saturday }) = team.hours else { return Ok(None) };
    let today = now.with_timezone(&ZONE).date_naive();
    let exceptions: serde_json::Map<String, Value> = (today.year() - 1..=today.year() + 1)
        .flat_map(holidays)
        .filter(|(date, ..)| (*date - today).abs() <= TimeDelta::days(EXCEPTION_DAYS))
        .map(|(date, name, is_half)| {
            let hours = if is_half { json!([{ "open": open, "close": "13:00" }]) } else { json!([]) };
            (date.to_string(), json!({ "name": name, "hours": hours, "reduced": is_half }))
        })
        .collect();
    let day = json!([{ "open": open, "close": close }]);
    let saturday = saturday.map_or(json!([]), |(open, close)| json!([{ "open": open, "close": close }]));
    let definition = serde_json::from_value(json!({
        "time_zone": ZONE.name(),
        "weekly": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": saturday },
        "exceptions": exceptions,
    }))?;
    Ok(Some(calendar::insert(conn, format!("{} hours", team.name), false, definition, since)?.id))
}

fn make_contacts(conn: &mut Conn, people: &[Contact], since: DateTime<Utc>) -> Result<Vec<ContactId>> {
    let mut ids = Vec::with_capacity(people.len());
    for (place, reseller) in RESELLERS.iter().enumerate() {
        let organization = organizations::insert(conn, reseller.name.to_owned(), Some(reseller.account.to_owned()), since)?;
        for person in people.iter().filter(|person| person.reseller == place) {
            let new = NewContact {
                organization_id: Some(organization.id),
                name: person.name.to_owned(),
                time_zone: Some(reseller.zone.to_owned()),
                language: reseller.language.to_owned(),
                emails: vec![person.email.clone()],
                phones: vec![person.phone.clone()],
            };
            ids.push(contacts::insert(conn, new, since)?.row.id);
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_fall_on_their_days() {
        let of =
            |year| -> Vec<String> { holidays(year).into_iter().map(|(date, ..)| date.format("%m-%d").to_string()).collect() };
        let fixed = ["12-24", "12-25", "12-26", "12-31"];
        assert_eq!(of(2026)[..7], ["01-01", "02-16", "05-18", "07-01", "08-03", "09-07", "10-12"]);
        assert_eq!(of(2027)[..7], ["01-01", "02-15", "05-24", "07-01", "08-02", "09-06", "10-11"]);
        assert_eq!(of(2027)[7..], fixed);
    }
}
