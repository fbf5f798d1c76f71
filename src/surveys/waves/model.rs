//! Who is asked in a wave, who is not and why, and on which day: functions of the wave and the contact alone. Pure.
use crate::ids::{ContactId, OrganizationId, WaveId, digest};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use std::collections::HashMap;

/// Contacts of one organization that a wave asks, where the manager does not say.
pub const CAP_DEFAULT: i32 = 3;
/// A contact is active who had a ticket in so many days, where the manager does not say.
pub const ACTIVE_DAYS_DEFAULT: i32 = 365;

names! {
    /// Where a wave stands.
    pub enum WaveState {
        /// Nothing is frozen: what it would ask changes with the desk.
        Draft = "draft",
        /// Its sample is being frozen.
        Freezing = "freezing",
        /// Its letters go out, each on its day.
        Running = "running",
        /// It was ended before its time; nothing more goes out.
        Stopped = "stopped",
    }
}

names! {
    /// Why a contact is in the sample or not; the first reason that applies.
    pub enum SampleStanding {
        /// Asked, on a day of the window.
        Included = "included",
        /// There is no mail address.
        NoAddress = "no_address",
        /// The address is one of the staff's.
        Staff = "staff",
        /// The contact wants no surveys.
        Unsubscribed = "unsubscribed",
        /// The address refused a letter.
        Suppressed = "suppressed",
        /// A relationship survey was sent too short a time ago.
        AskedLately = "asked_lately",
        /// There was no ticket for too long.
        Inactive = "inactive",
        /// Enough others of the same organization are asked.
        OrganizationCap = "organization_cap",
        /// The sample is as large as it shall be.
        NotDrawn = "not_drawn",
    }
}

/// What is known of a contact when the sample is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub contact_id: ContactId,
    /// Of which organization.
    pub organization_id: Option<OrganizationId>,
    /// There is a mail address.
    pub has_address: bool,
    /// It is one of the staff's.
    pub is_staff: bool,
    /// No surveys are wanted.
    pub is_unsubscribed: bool,
    /// The address refused a letter.
    pub is_suppressed: bool,
    /// A relationship survey was sent lately.
    pub is_asked_lately: bool,
    /// There was a ticket lately.
    pub is_active: bool,
}

/// What a wave asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Contacts of one organization at the most.
    pub cap_per_organization: Option<usize>,
    /// Contacts at the most.
    pub sample_size: Option<usize>,
    /// The days of the letters, in order.
    pub days: Vec<NaiveDate>,
}

/// A contact who was considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// Who.
    pub contact_id: ContactId,
    /// Of which organization.
    pub organization_id: Option<OrganizationId>,
    /// In the sample, or why not.
    pub standing: SampleStanding,
    /// The local date of the letter, for those in the sample.
    pub send_on: Option<NaiveDate>,
}

/// The first and the last day of a quarter such as `2026-Q3`.
pub fn quarter(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (year, number) = text.split_once("-Q")?;
    let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(year, 4) || !is_number(number, 1) {
        return None;
    }
    let (year, number): (i32, u32) = (year.parse().ok()?, number.parse().ok()?);
    if !(1970..=9998).contains(&year) || !(1..=4).contains(&number) {
        return None;
    }
    let first = NaiveDate::from_ymd_opt(year, number * 3 - 2, 1)?;
    let next =
        if number == 4 { NaiveDate::from_ymd_opt(year + 1, 1, 1) } else { NaiveDate::from_ymd_opt(year, number * 3 + 1, 1) };
    Some((first, next?.pred_opt()?))
}

/// The weekdays from `from` to `to`, both included, that come after `today`.
pub fn days(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> Vec<NaiveDate> {
    let Some(tomorrow) = today.succ_opt() else { return Vec::new() };
    from.max(tomorrow)
        .iter_days()
        .take_while(|day| *day <= to)
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .collect()
}

/// A number that only the wave, the contact and the purpose decide, as if by chance.
fn chance(wave: WaveId, contact: ContactId, purpose: &str) -> u64 {
    let bytes = digest(&format!("{purpose}:{wave}:{contact}"));
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The day of a contact's letter; `None` where there are no days.
pub fn send_on(wave: WaveId, contact: ContactId, days: &[NaiveDate]) -> Option<NaiveDate> {
    let count = u64::try_from(days.len()).ok().filter(|count| *count > 0)?;
    days.get(usize::try_from(chance(wave, contact, "day") % count).ok()?).copied()
}

/// At which second of the day's hours the letter goes out: they are spread over the day too.
pub fn second_of(wave: WaveId, contact: ContactId, (from, to): (u32, u32)) -> u32 {
    let open = u64::from(to.saturating_sub(from)).max(1);
    from + u32::try_from(chance(wave, contact, "second") % open).unwrap_or(0)
}

/// Before midnight UTC a day has begun so long ago in the zone that is furthest ahead.
const FIRST_ZONE: TimeDelta = TimeDelta::hours(14);

/// When the invitations of a day are made: when it begins somewhere.
pub fn made_ahead(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - FIRST_ZONE
}

/// The last day that has begun somewhere.
pub fn begun(now: DateTime<Utc>) -> NaiveDate {
    (now + FIRST_ZONE).date_naive()
}

/// What speaks against a contact, whoever else is asked.
fn obstacle(candidate: &Candidate) -> Option<SampleStanding> {
    let rules = [
        (!candidate.has_address, SampleStanding::NoAddress),
        (candidate.is_staff, SampleStanding::Staff),
        (candidate.is_unsubscribed, SampleStanding::Unsubscribed),
        (candidate.is_suppressed, SampleStanding::Suppressed),
        (candidate.is_asked_lately, SampleStanding::AskedLately),
        (!candidate.is_active, SampleStanding::Inactive),
    ];
    rules.into_iter().find(|(applies, _)| *applies).map(|(_, standing)| standing)
}

/// Everybody who is considered with day or reason, in the order of their ids; the order that they come in changes nothing.
pub fn draw(wave: WaveId, terms: &Terms, candidates: &[Candidate]) -> Vec<Drawn> {
    let mut order: Vec<(u64, &Candidate)> =
        candidates.iter().map(|candidate| (chance(wave, candidate.contact_id, "draw"), candidate)).collect();
    order.sort_unstable_by_key(|(chance, candidate)| (*chance, candidate.contact_id));
    let mut of_organization: HashMap<OrganizationId, usize> = HashMap::new();
    let mut asked = 0_usize;
    let mut drawn: Vec<Drawn> = Vec::with_capacity(order.len());
    for (_, candidate) in order {
        let Candidate { contact_id, organization_id, .. } = *candidate;
        let colleagues = organization_id.and_then(|id| of_organization.get(&id).copied()).unwrap_or(0);
        let standing = match obstacle(candidate) {
            Some(reason) => reason,
            None if organization_id.is_some() && terms.cap_per_organization.is_some_and(|cap| colleagues >= cap) => {
                SampleStanding::OrganizationCap
            }
            None if terms.sample_size.is_some_and(|size| asked >= size) => SampleStanding::NotDrawn,
            None => SampleStanding::Included,
        };
        let mut send = None;
        if standing == SampleStanding::Included {
            asked += 1;
            if let Some(id) = organization_id {
                of_organization.insert(id, colleagues + 1);
            }
            send = send_on(wave, contact_id, &terms.days);
        }
        drawn.push(Drawn { contact_id, organization_id, standing, send_on: send });
    }
    drawn.sort_unstable_by_key(|drawn| drawn.contact_id);
    drawn
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
