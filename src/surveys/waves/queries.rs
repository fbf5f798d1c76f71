//! Who can be asked, who was drawn, whose day it is, and what became of it.
use super::model::{Candidate, Drawn, SampleStanding, WaveState};
pub use super::store::WaveRow;
use super::store::date;
use crate::accounts::contacts::model::normal_email;
use crate::db::{
    Conn,
    schema::{
        agents, contact_emails, contacts, survey_invitations, survey_suppressions, survey_wave_contacts, survey_waves, tickets,
    },
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{ContactId, InvitationId, OrganizationId, WaveId};
use crate::surveys::model::{Outcome, SurveyKind};
use crate::surveys::queries::InvitationRow;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One by id.
pub fn wave(conn: &mut Conn, id: WaveId) -> Result<WaveRow> {
    super::store::find(conn, id)
}

/// A page, newest first.
pub fn list(conn: &mut Conn, before: Option<WaveId>, limit: i64) -> Result<Vec<WaveRow>> {
    super::store::list(conn, before, limit)
}

/// Whether invitations of a wave were made. One look at the index.
pub fn is_anybody_invited(conn: &mut Conn, id: WaveId) -> Result<bool> {
    let of_wave = survey_invitations::table.filter(survey_invitations::wave_id.eq(id)).select(survey_invitations::id);
    Ok(of_wave.first::<InvitationId>(conn).optional()?.is_some())
}

/// What a letter has to know of its wave.
pub struct Known {
    state: WaveState,
    to_on: NaiveDate,
}

impl Known {
    /// Its letters go out.
    pub fn is_running(&self) -> bool {
        self.state == WaveState::Running
    }

    /// Its window is over by then.
    pub fn is_over(&self, at: DateTime<Utc>) -> bool {
        at.date_naive() > self.to_on
    }
}

/// The wave of an invitation. One query.
pub fn of_invitation(conn: &mut Conn, row: &InvitationRow) -> Result<Known> {
    let id = row.wave_id.ok_or_else(|| Error::internal("an invitation about no ticket and of no wave"))?;
    let (state, to_on): (Named<WaveState>, String) =
        survey_waves::table.find(id).select((survey_waves::state, survey_waves::to_on)).first(conn)?;
    Ok(Known { state: state.0, to_on: date(&to_on)? })
}

/// Since when somebody counts as asked lately, and since when as active; `None` where everybody is.
pub struct Since {
    /// A relationship survey sent after this.
    pub asked: DateTime<Utc>,
    /// A ticket received at or after this.
    pub active: Option<DateTime<Utc>>,
}

/// All contacts with what decides about asking them. Six queries.
pub fn candidates(conn: &mut Conn, since: &Since) -> Result<Vec<Candidate>> {
    use survey_invitations as i;
    let rows: Vec<(ContactId, Option<OrganizationId>, Option<Time>)> =
        contacts::table.select((contacts::id, contacts::organization_id, contacts::surveys_stopped_at)).load(conn)?;
    let addresses: Vec<(ContactId, String)> = contact_emails::table
        .order((contact_emails::contact_id, contact_emails::position.desc()))
        .select((contact_emails::contact_id, contact_emails::address))
        .load(conn)?;
    // The last one of each contact is the first of their list: the one that is written to.
    let addresses: HashMap<ContactId, String> = addresses.into_iter().collect();
    let staff: Vec<String> = agents::table.select(agents::email).load(conn)?;
    let staff: HashSet<String> = staff.iter().filter_map(|email| normal_email(email)).collect();
    let suppressed: Vec<String> = survey_suppressions::table
        .filter(survey_suppressions::lifted_at.is_null())
        .select(survey_suppressions::address)
        .load(conn)?;
    let suppressed: HashSet<String> = suppressed.into_iter().collect();
    let asked: Vec<ContactId> = i::table
        .filter(i::kind.eq(Named(SurveyKind::Relationship)).and(i::sent_at.gt(Time(since.asked))))
        .select(i::contact_id)
        .load(conn)?;
    let asked: HashSet<ContactId> = asked.into_iter().collect();
    let active: Option<HashSet<ContactId>> = match since.active {
        None => None,
        Some(since) => {
            let of_tickets = tickets::table.filter(tickets::received_at.ge(Time(since))).select(tickets::contact_id).distinct();
            Some(of_tickets.load::<ContactId>(conn)?.into_iter().collect())
        }
    };
    let candidates = rows.into_iter().map(|(contact_id, organization_id, stopped_at)| {
        let address = addresses.get(&contact_id);
        Candidate {
            contact_id,
            organization_id,
            has_address: address.is_some(),
            is_staff: address.is_some_and(|address| staff.contains(address)),
            is_unsubscribed: stopped_at.is_some(),
            is_suppressed: address.is_some_and(|address| suppressed.contains(address)),
            is_asked_lately: asked.contains(&contact_id),
            is_active: active.as_ref().is_none_or(|active| active.contains(&contact_id)),
        }
    });
    Ok(candidates.collect())
}

/// A contact of a sample, and what became of the letter.
pub type MemberRow = (
    ContactId,
    Option<OrganizationId>,
    Named<SampleStanding>,
    Option<String>,
    Option<(InvitationId, Named<Outcome>, Option<Time>)>,
);

/// A page of a frozen sample, in the order of the contacts' ids. One query.
pub fn members(
    conn: &mut Conn,
    wave: WaveId,
    standing: Option<SampleStanding>,
    after: Option<ContactId>,
    limit: i64,
) -> Result<Vec<MemberRow>> {
    use survey_invitations as i;
    use survey_wave_contacts as m;
    let its_letter = i::wave_id.eq(m::wave_id.nullable()).and(i::contact_id.eq(m::contact_id));
    let mut query = m::table
        .left_join(i::table.on(its_letter))
        .filter(m::wave_id.eq(wave))
        .order(m::contact_id)
        .limit(limit)
        .select((m::contact_id, m::organization_id, m::standing, m::send_on, (i::id, i::outcome, i::sent_at).nullable()))
        .into_boxed();
    if let Some(standing) = standing {
        query = query.filter(m::standing.eq(Named(standing)));
    }
    if let Some(after) = after {
        query = query.filter(m::contact_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// A sample in numbers.
#[derive(Debug, Default)]
pub struct Sample {
    /// Contacts by standing.
    pub standings: BTreeMap<SampleStanding, u64>,
    /// Letters by day.
    pub days: BTreeMap<NaiveDate, u64>,
    /// Invitations that were made, by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
}

impl Sample {
    /// Counts what was drawn.
    pub fn of(drawn: &[Drawn]) -> Self {
        let mut sample = Self::default();
        for one in drawn {
            *sample.standings.entry(one.standing).or_default() += 1;
            if let Some(day) = one.send_on {
                *sample.days.entry(day).or_default() += 1;
            }
        }
        sample
    }
}

/// A frozen sample in numbers. Three queries, which read a line for each group.
pub fn sample(conn: &mut Conn, wave: WaveId) -> Result<Sample> {
    use diesel::dsl::count_star;
    use survey_invitations as i;
    use survey_wave_contacts as m;
    let of_wave = m::table.filter(m::wave_id.eq(wave));
    let standings: Vec<(Named<SampleStanding>, i64)> =
        of_wave.group_by(m::standing).select((m::standing, count_star())).load(conn)?;
    let days: Vec<(Option<String>, i64)> =
        of_wave.filter(m::send_on.is_not_null()).group_by(m::send_on).select((m::send_on, count_star())).load(conn)?;
    let outcomes: Vec<(Named<Outcome>, i64)> =
        i::table.filter(i::wave_id.eq(wave)).group_by(i::outcome).select((i::outcome, count_star())).load(conn)?;
    let mut sample = Sample::default();
    for (standing, count) in standings {
        sample.standings.insert(standing.0, count.unsigned_abs());
    }
    for (day, count) in days {
        sample.days.insert(date(&day.unwrap_or_default())?, count.unsigned_abs());
    }
    for (outcome, count) in outcomes {
        sample.outcomes.insert(outcome.0.as_str(), count.unsigned_abs());
    }
    Ok(sample)
}

/// Somebody whose invitation is to be made: who, of which organization, on which day, in which time zone.
pub type Due = (ContactId, Option<OrganizationId>, Option<String>, Option<String>);

macro_rules! without_invitation {
    ($wave:expr) => {
        survey_wave_contacts::table.filter(survey_wave_contacts::wave_id.eq($wave)).filter(
            survey_wave_contacts::send_on.is_not_null().and(diesel::dsl::not(diesel::dsl::exists(
                survey_invitations::table.filter(
                    survey_invitations::wave_id
                        .eq(survey_wave_contacts::wave_id.nullable())
                        .and(survey_invitations::contact_id.eq(survey_wave_contacts::contact_id)),
                ),
            ))),
        )
    };
}

/// Those of a sample whose day is `to_on` or before and who have no invitation. One query.
pub fn due(conn: &mut Conn, wave: WaveId, to_on: NaiveDate, limit: i64) -> Result<Vec<Due>> {
    use survey_wave_contacts as m;
    Ok(without_invitation!(wave)
        .inner_join(contacts::table.on(contacts::id.eq(m::contact_id)))
        .filter(m::send_on.le(to_on.to_string()))
        .order((m::send_on, m::contact_id))
        .limit(limit)
        .select((m::contact_id, m::organization_id, m::send_on, contacts::time_zone))
        .load(conn)?)
}

/// The first day with somebody who has no invitation. One query.
pub fn next_day(conn: &mut Conn, wave: WaveId) -> Result<Option<NaiveDate>> {
    use survey_wave_contacts as m;
    let day: Option<Option<String>> = without_invitation!(wave).order(m::send_on).select(m::send_on).first(conn).optional()?;
    day.flatten().map(|day| date(&day)).transpose()
}
