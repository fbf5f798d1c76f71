//! The sample of a wave: reasons, caps, days.
use super::*;
use uuid::Uuid;

fn contact(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

fn organization(number: u128) -> Option<OrganizationId> {
    Some(OrganizationId(Uuid::from_u128(number)))
}

fn wave(number: u128) -> WaveId {
    WaveId(Uuid::from_u128(number))
}

fn good(number: u128) -> Candidate {
    Candidate {
        contact_id: contact(number),
        organization_id: None,
        has_address: true,
        is_staff: false,
        is_unsubscribed: false,
        is_suppressed: false,
        is_asked_lately: false,
        is_active: true,
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn terms() -> Terms {
    Terms {
        cap_per_organization: None,
        sample_size: None,
        days: days(date("2026-07-01"), date("2026-09-30"), date("2026-06-10")),
    }
}

fn count(drawn: &[Drawn], standing: SampleStanding) -> usize {
    drawn.iter().filter(|drawn| drawn.standing == standing).count()
}

#[test]
fn each_reason_has_its_name_and_the_first_one_counts() {
    let rows = [
        (good(1), SampleStanding::Included),
        (Candidate { has_address: false, ..good(1) }, SampleStanding::NoAddress),
        (Candidate { is_staff: true, ..good(1) }, SampleStanding::Staff),
        (Candidate { is_unsubscribed: true, ..good(1) }, SampleStanding::Unsubscribed),
        (Candidate { is_suppressed: true, ..good(1) }, SampleStanding::Suppressed),
        (Candidate { is_asked_lately: true, ..good(1) }, SampleStanding::AskedLately),
        (Candidate { is_active: false, ..good(1) }, SampleStanding::Inactive),
        (Candidate { is_active: false, is_suppressed: true, is_unsubscribed: true, ..good(1) }, SampleStanding::Unsubscribed),
    ];
    for (candidate, expected) in rows {
        let drawn = draw(wave(1), &terms(), &[candidate]);
        assert_eq!(drawn.iter().map(|drawn| drawn.standing).collect::<Vec<_>>(), [expected], "{candidate:?}");
        assert_eq!(drawn.iter().all(|drawn| drawn.send_on.is_some()), expected == SampleStanding::Included);
    }
}

#[test]
fn a_quarter_is_its_first_and_last_day() {
    for (text, expected) in [
        ("2026-Q1", Some(("2026-01-01", "2026-03-31"))),
        ("2026-Q3", Some(("2026-07-01", "2026-09-30"))),
        ("2027-Q4", Some(("2027-10-01", "2027-12-31"))),
        ("2026-Q0", None),
        ("2026-Q5", None),
        ("26-Q1", None),
        ("2026-q1", None),
        ("2026-Q1 ", None),
        ("+026-Q1", None),
        ("9999-Q4", None),
        ("", None),
    ] {
        assert_eq!(quarter(text), expected.map(|(from, to)| (date(from), date(to))), "{text:?}");
    }
}

#[test]
fn the_days_are_weekdays_after_today() {
    // Wednesday to the Tuesday after.
    let week = |today| days(date("2026-07-01"), date("2026-07-07"), date(today)).len();
    assert_eq!(
        [week("2026-06-30"), week("2026-07-01"), week("2026-07-03"), week("2026-07-06"), week("2026-07-07")],
        [5, 4, 2, 1, 0]
    );
    assert!(terms().days.iter().all(|day| day.weekday().number_from_monday() <= 5));
    assert_eq!(days(date("2026-07-04"), date("2026-07-05"), date("2026-01-01")), Vec::<NaiveDate>::new());
}

#[test]
fn a_draw_depends_on_nothing_but_the_wave_and_the_contacts() {
    let mut candidates: Vec<Candidate> =
        (0..500).map(|number| Candidate { organization_id: organization(number % 40), ..good(number) }).collect();
    let terms = Terms { cap_per_organization: Some(4), sample_size: Some(120), ..terms() };
    let first = draw(wave(7), &terms, &candidates);
    candidates.reverse();
    candidates.rotate_left(123);
    assert_eq!(draw(wave(7), &terms, &candidates), first);
    assert_ne!(draw(wave(8), &terms, &candidates), first, "another wave asks others, on other days");
    // Who is added or taken away moves nobody else's day.
    let days: HashMap<ContactId, Option<NaiveDate>> = first.iter().map(|drawn| (drawn.contact_id, drawn.send_on)).collect();
    let fewer: Vec<Candidate> = candidates.iter().copied().filter(|one| one.contact_id.0.as_u128() % 2 == 0).collect();
    for drawn in draw(wave(7), &terms, &fewer) {
        if let (Some(Some(before)), Some(after)) = (days.get(&drawn.contact_id), drawn.send_on) {
            assert_eq!(*before, after);
        }
    }
}

#[test]
fn everybody_has_one_row_and_the_caps_hold() {
    for seed in 0..20_u128 {
        let candidates: Vec<Candidate> = (0..300)
            .map(|number| Candidate {
                organization_id: if number % 7 == 0 { None } else { organization(number % 11) },
                is_active: (number + seed) % 13 != 0,
                ..good(number)
            })
            .collect();
        let terms = Terms { cap_per_organization: Some(5), sample_size: Some(60), ..terms() };
        let drawn = draw(wave(seed), &terms, &candidates);
        assert_eq!(drawn.len(), candidates.len());
        assert!(drawn.windows(2).all(|pair| matches!(pair, [one, two] if one.contact_id < two.contact_id)), "each once");
        assert_eq!(count(&drawn, SampleStanding::Included), 60);
        let mut by_organization: HashMap<OrganizationId, usize> = HashMap::new();
        for one in drawn.iter().filter(|one| one.standing == SampleStanding::Included) {
            assert!(one.send_on.is_some_and(|day| terms.days.contains(&day)));
            if let Some(id) = one.organization_id {
                *by_organization.entry(id).or_default() += 1;
            }
        }
        assert!(by_organization.values().all(|count| *count <= 5), "{by_organization:?}");
        // The cap says so only where it is reached.
        for one in drawn.iter().filter(|one| one.standing == SampleStanding::OrganizationCap) {
            assert_eq!(one.organization_id.and_then(|id| by_organization.get(&id)), Some(&5));
        }
    }
}

#[test]
fn letters_are_spread_over_all_days_and_over_each_day() {
    let days = terms().days;
    let mut per_day: HashMap<NaiveDate, usize> = HashMap::new();
    let mut by_half = [0, 0];
    for number in 0..6_600 {
        *per_day.entry(send_on(wave(3), contact(number), &days).expect("a day")).or_default() += 1;
        let second = second_of(wave(3), contact(number), (28_800, 64_800));
        assert!((28_800..64_800).contains(&second));
        if let Some(half) = by_half.get_mut(usize::from(second >= 46_800)) {
            *half += 1;
        }
    }
    assert_eq!((days.len(), per_day.len()), (66, 66));
    // 100 a day on average: five standard deviations to either side.
    assert!(per_day.values().all(|count| (50..=150).contains(count)), "{per_day:?}");
    assert!(by_half.iter().all(|count| (3_000..=3_600).contains(count)), "{by_half:?}");
    assert_eq!(second_of(wave(3), contact(1), (64_800, 64_800)), 64_800, "hours that are never open end where they begin");
}

#[test]
fn invitations_are_made_before_their_day_begins_anywhere() {
    let at = made_ahead(date("2026-07-02"));
    assert_eq!(at.to_rfc3339(), "2026-07-01T10:00:00+00:00");
    assert_eq!((begun(at), begun(at - TimeDelta::microseconds(1))), (date("2026-07-02"), date("2026-07-01")));
}
