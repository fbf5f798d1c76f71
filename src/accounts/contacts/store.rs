//! Contact rows, their addresses and their numbers.
use super::model::{normal_email, normal_phone, shown_name};
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{contact_emails, contact_phones, contacts, organizations},
    types::Time,
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{ContactId, OrganizationId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::dsl::IsNotNull;
use diesel::prelude::*;
use std::collections::HashMap;

/// The language of a contact who named none.
pub const LANGUAGE_DEFAULT: &str = "en";

/// A contact as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = contacts)]
pub struct ContactRow {
    pub id: ContactId,
    pub organization_id: Option<OrganizationId>,
    pub name: String,
    pub time_zone: Option<String>,
    pub language: String,
    pub surveys_stopped_at: Option<Time>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A contact with all ways to reach them, each list in its order.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Its own columns.
    pub row: ContactRow,
    /// Addresses, the one to write to first.
    pub emails: Vec<String>,
    /// Numbers.
    pub phones: Vec<String>,
}

/// What the rest of the desk knows of a contact.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = contacts)]
pub struct Person {
    /// Their id.
    pub id: ContactId,
    /// The reseller account they belong to.
    pub organization_id: Option<OrganizationId>,
    /// What they are called.
    pub name: String,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Language tag, such as `en` or `pt-BR`.
    pub language: String,
    /// They asked for no more surveys.
    #[diesel(select_expression = contacts::surveys_stopped_at.is_not_null(),
        select_expression_type = IsNotNull<contacts::surveys_stopped_at>)]
    pub surveys_stopped: bool,
}

/// What a new contact starts with; addresses and numbers are normal already.
pub struct NewContact {
    /// The reseller account they belong to.
    pub organization_id: Option<OrganizationId>,
    /// What they are called.
    pub name: String,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Language tag.
    pub language: String,
    /// Normal addresses, no two the same.
    pub emails: Vec<String>,
    /// Normal numbers, no two the same.
    pub phones: Vec<String>,
}

/// Which contacts to list.
#[derive(Default)]
pub struct Filter {
    /// The one with this normal address.
    pub email: Option<String>,
    /// The one with this normal number.
    pub phone: Option<String>,
    /// Those of this reseller account.
    pub organization_id: Option<OrganizationId>,
}

fn address_taken(address: &str) -> Error {
    Error::conflict("address_taken", format!("another contact has the address {address}"))
}

fn number_taken(number: &str) -> Error {
    Error::conflict("number_taken", format!("another contact has the number {number}"))
}

fn check_organization(conn: &mut Conn, id: Option<OrganizationId>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let known: Option<OrganizationId> = organizations::table.find(id).select(organizations::id).first(conn).optional()?;
    known.map(|_| ()).ok_or_else(|| Error::field("organization_id", "unknown_organization", "is no organization"))
}

/// Writes the row of a new contact. One insert.
fn insert_row(conn: &mut Conn, row: &ContactRow) -> Result<()> {
    diesel::insert_into(contacts::table)
        .values((
            contacts::id.eq(row.id),
            contacts::organization_id.eq(row.organization_id),
            contacts::name.eq(&row.name),
            contacts::time_zone.eq(&row.time_zone),
            contacts::language.eq(&row.language),
            contacts::surveys_stopped_at.eq(row.surveys_stopped_at),
            contacts::version.eq(row.version),
            contacts::created_at.eq(row.created_at),
            contacts::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives an address to a contact; false where somebody has it. One insert.
fn insert_email(conn: &mut Conn, id: ContactId, address: &str, position: i32) -> Result<bool> {
    let written = diesel::insert_into(contact_emails::table)
        .values((contact_emails::address.eq(address), contact_emails::contact_id.eq(id), contact_emails::position.eq(position)))
        .or_ignore()
        .execute(conn)?;
    Ok(written > 0)
}

/// Gives a number to a contact; false where somebody has it. One insert.
fn insert_phone(conn: &mut Conn, id: ContactId, number: &str, position: i32) -> Result<bool> {
    let written = diesel::insert_into(contact_phones::table)
        .values((contact_phones::number.eq(number), contact_phones::contact_id.eq(id), contact_phones::position.eq(position)))
        .or_ignore()
        .execute(conn)?;
    Ok(written > 0)
}

/// Entries with their positions, sorted: two requests that want the same ones wait for each other and do not deadlock.
fn placed(entries: &[String]) -> Vec<(&str, i32)> {
    let mut placed: Vec<(&str, i32)> = entries.iter().map(String::as_str).zip(0..).collect();
    placed.sort_unstable();
    placed
}

fn insert_emails(conn: &mut Conn, id: ContactId, emails: &[String]) -> Result<()> {
    for (address, position) in placed(emails) {
        if !insert_email(conn, id, address, position)? {
            return Err(address_taken(address));
        }
    }
    Ok(())
}

fn insert_phones(conn: &mut Conn, id: ContactId, phones: &[String]) -> Result<()> {
    for (number, position) in placed(phones) {
        if !insert_phone(conn, id, number, position)? {
            return Err(number_taken(number));
        }
    }
    Ok(())
}

/// Writes a new one. One look-up where it names an organization, one insert, and one for each address and number.
pub fn insert(conn: &mut Conn, new: NewContact, now: DateTime<Utc>) -> Result<Contact> {
    let NewContact { organization_id, name, time_zone, language, emails, phones } = new;
    check_organization(conn, organization_id)?;
    let row = ContactRow {
        id: ContactId::new(),
        organization_id,
        name,
        time_zone,
        language,
        surveys_stopped_at: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    insert_row(conn, &row)?;
    insert_emails(conn, row.id, &emails)?;
    insert_phones(conn, row.id, &phones)?;
    Ok(Contact { row, emails, phones })
}

fn find_row(conn: &mut Conn, id: ContactId) -> Result<ContactRow> {
    contacts::table.find(id).select(ContactRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("contact"))
}

/// Adds addresses and numbers to rows. Two queries, however many rows.
fn with_addresses(conn: &mut Conn, rows: Vec<ContactRow>) -> Result<Vec<Contact>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ContactId> = rows.iter().map(|row| row.id).collect();
    let emails = contact_emails::table
        .filter(contact_emails::contact_id.eq_any(&ids))
        .order((contact_emails::contact_id, contact_emails::position))
        .select((contact_emails::contact_id, contact_emails::address))
        .load(conn)?;
    let phones = contact_phones::table
        .filter(contact_phones::contact_id.eq_any(&ids))
        .order((contact_phones::contact_id, contact_phones::position))
        .select((contact_phones::contact_id, contact_phones::number))
        .load(conn)?;
    let (mut emails, mut phones) = (by_contact(emails), by_contact(phones));
    let take = |lists: &mut HashMap<ContactId, Vec<String>>, id| lists.remove(&id).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|row| Contact { emails: take(&mut emails, row.id), phones: take(&mut phones, row.id), row })
        .collect())
}

fn by_contact(entries: Vec<(ContactId, String)>) -> HashMap<ContactId, Vec<String>> {
    let mut lists: HashMap<ContactId, Vec<String>> = HashMap::new();
    for (id, entry) in entries {
        lists.entry(id).or_default().push(entry);
    }
    lists
}

/// One by id. Three queries.
pub fn find(conn: &mut Conn, id: ContactId) -> Result<Contact> {
    let row = find_row(conn, id)?;
    with_addresses(conn, vec![row])?.pop().ok_or(Error::NotFound("contact"))
}

/// A page after `after`, by age. Three queries.
pub fn list(conn: &mut Conn, filter: Filter, after: Option<ContactId>, limit: i64) -> Result<Vec<Contact>> {
    let Filter { email, phone, organization_id } = filter;
    let mut query = contacts::table.select(ContactRow::as_select()).order(contacts::id).limit(limit).into_boxed();
    if let Some(email) = email {
        let owner = contact_emails::table.filter(contact_emails::address.eq(email)).select(contact_emails::contact_id);
        query = query.filter(contacts::id.eq_any(owner));
    }
    if let Some(phone) = phone {
        let owner = contact_phones::table.filter(contact_phones::number.eq(phone)).select(contact_phones::contact_id);
        query = query.filter(contacts::id.eq_any(owner));
    }
    if let Some(organization_id) = organization_id {
        query = query.filter(contacts::organization_id.eq(organization_id));
    }
    if let Some(after) = after {
        query = query.filter(contacts::id.gt(after));
    }
    let rows = query.load(conn)?;
    with_addresses(conn, rows)
}

/// Changes what `patch` names. Four queries, one more where the organization changes, and one for each new address and number.
pub fn update(
    conn: &mut Conn,
    id: ContactId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut Contact),
) -> Result<Contact> {
    let before = find(conn, id)?;
    seen.check(before.row.version)?;
    let mut contact = before.clone();
    patch(&mut contact);
    let row = &mut contact.row;
    if row.organization_id != before.row.organization_id {
        check_organization(conn, row.organization_id)?;
    }
    row.version += 1;
    row.updated_at = Time(now);
    // First the row: its lock keeps two changes of the same lists apart.
    let changed = diesel::update(contacts::table.find(id).filter(contacts::version.eq(before.row.version)))
        .set((
            contacts::organization_id.eq(row.organization_id),
            contacts::name.eq(&row.name),
            contacts::time_zone.eq(&row.time_zone),
            contacts::language.eq(&row.language),
            contacts::surveys_stopped_at.eq(row.surveys_stopped_at),
            contacts::version.eq(row.version),
            contacts::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::Stale { current: before.row.version + 1 });
    }
    if contact.emails != before.emails {
        diesel::delete(contact_emails::table.filter(contact_emails::contact_id.eq(id))).execute(conn)?;
        insert_emails(conn, id, &contact.emails)?;
    }
    if contact.phones != before.phones {
        diesel::delete(contact_phones::table.filter(contact_phones::contact_id.eq(id))).execute(conn)?;
        insert_phones(conn, id, &contact.phones)?;
    }
    Ok(contact)
}

/// The person with this id. One query.
pub fn find_person(conn: &mut Conn, id: ContactId) -> Result<Option<Person>> {
    Ok(each!(conn, conn => contacts::table.find(id).select(Person::as_select()).first(conn)).optional()?)
}

/// Who has this normal address. One query.
pub fn find_by_email(conn: &mut Conn, address: &str) -> Result<Option<Person>> {
    let found = contact_emails::table
        .inner_join(contacts::table.on(contacts::id.eq(contact_emails::contact_id)))
        .filter(contact_emails::address.eq(address));
    Ok(each!(conn, conn => found.select(Person::as_select()).first(conn)).optional()?)
}

/// Who has this normal number. One query.
pub fn find_by_phone(conn: &mut Conn, number: &str) -> Result<Option<Person>> {
    Ok(contact_phones::table
        .inner_join(contacts::table.on(contacts::id.eq(contact_phones::contact_id)))
        .filter(contact_phones::number.eq(number))
        .select(Person::as_select())
        .first(conn)
        .optional()?)
}

/// Writes a contact of whom nothing but a name is known. One insert.
fn insert_stranger(conn: &mut Conn, name: String, now: DateTime<Utc>) -> Result<Person> {
    let row = ContactRow {
        id: ContactId::new(),
        organization_id: None,
        name,
        time_zone: None,
        language: LANGUAGE_DEFAULT.to_owned(),
        surveys_stopped_at: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    insert_row(conn, &row)?;
    let ContactRow { id, organization_id, name, time_zone, language, .. } = row;
    Ok(Person { id, organization_id, name, time_zone, language, surveys_stopped: false })
}

/// After another request was first with the same address: takes ours away, and theirs is the answer.
fn give_way(
    conn: &mut Conn,
    ours: ContactId,
    theirs: fn(&mut Conn, &str) -> Result<Option<Person>>,
    key: &str,
) -> Result<Person> {
    diesel::delete(contacts::table.find(ours)).execute(conn)?;
    theirs(conn, key)?.ok_or_else(|| Error::Unavailable("an address was taken and freed in the same moment".to_owned()))
}

/// Who has this address; a new contact where nobody has. One query, or three; what is no address is refused.
pub fn find_or_create_by_email(conn: &mut Conn, address: &str, name: Option<&str>, now: DateTime<Utc>) -> Result<Person> {
    let address = normal_email(address).ok_or_else(|| Error::field("email", "email", "is not an e-mail address"))?;
    if let Some(known) = find_by_email(conn, &address)? {
        return Ok(known);
    }
    let made = insert_stranger(conn, shown_name(name, &address), now)?;
    if insert_email(conn, made.id, &address, 0)? { Ok(made) } else { give_way(conn, made.id, find_by_email, &address) }
}

/// Who has this number; a new contact where nobody has. One query, or three; what is no E.164 number is refused.
pub fn find_or_create_by_phone(conn: &mut Conn, number: &str, name: Option<&str>, now: DateTime<Utc>) -> Result<Person> {
    let number = normal_phone(number).ok_or_else(|| Error::field("phone", "phone", "is not a number with its country code"))?;
    if let Some(known) = find_by_phone(conn, &number)? {
        return Ok(known);
    }
    let made = insert_stranger(conn, shown_name(name, &number), now)?;
    if insert_phone(conn, made.id, &number, 0)? { Ok(made) } else { give_way(conn, made.id, find_by_phone, &number) }
}

/// The first address of a contact; none where they have none. One query.
pub fn primary_email(conn: &mut Conn, id: ContactId) -> Result<Option<String>> {
    let first = contact_emails::table
        .filter(contact_emails::contact_id.eq(id))
        .order(contact_emails::position)
        .select(contact_emails::address);
    Ok(each!(conn, conn => first.first(conn)).optional()?)
}

/// Sends no more surveys to a contact; saying it twice changes nothing. One query.
pub fn stop_surveys(conn: &mut Conn, id: ContactId, now: DateTime<Utc>) -> Result<()> {
    let stopped = diesel::update(contacts::table.find(id).filter(contacts::surveys_stopped_at.is_null()))
        .set((
            contacts::surveys_stopped_at.eq(Time(now)),
            contacts::version.eq(contacts::version + 1),
            contacts::updated_at.eq(Time(now)),
        ))
        .execute(conn)?;
    if stopped == 0 {
        find_row(conn, id)?;
    }
    Ok(())
}

/// Locks a contact until the commit. No-op on SQLite.
pub fn lock(conn: &mut Conn, id: ContactId) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        contacts::table.find(id).select(contacts::id).for_no_key_update().load::<ContactId>(conn)?;
    }
    Ok(())
}
