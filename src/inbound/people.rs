//! Addresses and Message-IDs of header fields. Pure.
use super::head::Header;
use super::model::{Defect, Defects, Person};
use super::words::{joined, one_line};
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

/// Addresses of a field that are kept.
const PEOPLE_MAX: usize = 200;
/// Fields of one name that are read.
const FIELDS_MAX: usize = 20;
/// An address past this is none (RFC 5321, 4.5.3.1).
const ADDRESS_MAX_BYTES: usize = 254;
/// A name past this is cut.
const NAME_MAX_CHARS: usize = 200;
/// Message-IDs of a thread that are kept: the newest, which are the last.
const IDS_MAX: usize = 200;
/// A Message-ID past this is none (RFC 5322, 2.1.1).
const ID_MAX_BYTES: usize = 996;

/// An address with its domain in lower case, if it is one.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("mailto:");
    let (local, domain) = text.rsplit_once('@')?;
    let is_word = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';');
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let is_local = !local.is_empty()
        && (local.chars().all(is_word) && !local.contains('@') || is_quoted && !local.contains(char::is_control));
    let domain = domain.trim_end_matches('.');
    let is_good = is_local && !domain.is_empty() && !domain.starts_with('.') && domain.chars().all(is_domain);
    (is_good && text.len() <= ADDRESS_MAX_BYTES).then(|| format!("{local}@{}", domain.to_lowercase()))
}

fn person(addr: &Addr<'_>, defects: &mut Defects) -> Option<Person> {
    let name = addr.name.as_deref().unwrap_or_default();
    let Some(address) = addr.address.as_deref().and_then(address) else {
        // The name of an empty group is none either.
        defects.note(Defect::BadAddress);
        return None;
    };
    let name: String = one_line(name).trim_matches(['"', '\'', ' ']).chars().take(NAME_MAX_CHARS).collect();
    Some(Person { name: if name == address { String::new() } else { name }, address })
}

/// All people of the fields of that name, groups taken apart, each address once.
pub(super) fn people(header: &Header, name: &str, defects: &mut Defects) -> Vec<Person> {
    let mut found: Vec<Person> = Vec::new();
    for field in header.all(name).take(FIELDS_MAX) {
        let ended = format!("{}\n", joined(field, defects));
        let addresses = match MessageStream::new(ended.as_bytes()).parse_address() {
            HeaderValue::Address(Address::List(list)) => list,
            HeaderValue::Address(Address::Group(groups)) => groups.into_iter().flat_map(|group| group.addresses).collect(),
            _ => continue,
        };
        for addr in &addresses {
            let Some(person) = person(addr, defects) else { continue };
            if found.len() == PEOPLE_MAX {
                defects.note(Defect::TooManyAddresses);
                return found;
            }
            if !found.iter().any(|other| other.address == person.address) {
                found.push(person);
            }
        }
    }
    found
}

/// Message-IDs of the fields of that name, without angle brackets, in order.
pub(super) fn ids(header: &Header, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for field in header.all(name).take(FIELDS_MAX) {
        found.extend(ids_of(field));
    }
    let surplus = found.len().saturating_sub(IDS_MAX);
    found.split_off(surplus)
}

/// Message-IDs in a text: what stands in angle brackets, or where there are none, words with an at sign.
pub(super) fn ids_of(field: &str) -> Vec<String> {
    let clean = |id: &str| {
        let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        (!id.is_empty() && id.len() <= ID_MAX_BYTES).then_some(id)
    };
    if !field.contains('<') {
        return field.split_whitespace().filter(|word| word.contains('@')).filter_map(clean).collect();
    }
    let after_opening = field.split('<').skip(1);
    after_opening.filter_map(|text| text.split_once('>')).filter_map(|(id, _)| clean(id)).collect()
}
