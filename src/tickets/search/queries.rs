//! Tickets whose subject and one of whose messages hold what is looked for.
use super::index::{ORDER_BITS, first_of};
use super::mark;
use super::queries_sql::{self as sql, Row, Search};
use super::query::Query as Wanted;
use crate::Result;
use crate::db::Conn;
use crate::ids::MessageId;
use crate::tickets::queries::{self, Filter, Listed, Sort};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Messages that are looked at together and ranked against each other: the newest tickets' first, then older ones in larger steps.
const STEPS: [i64; 4] = [100, 1_000, 10_000, 80_000];
/// Messages that are looked at where the order is not by relevance: the newest tickets' matches.
const SORTED_MAX: i64 = 10_000;

/// Where the next page starts. By relevance: below which document, after which score, after which ticket, in which step. Else: 0,
/// instant, ticket, 0.
pub type Cursor = (i64, i64, i64, usize);

/// Where a ticket holds what was looked for.
#[derive(Debug)]
pub struct Matched {
    /// The message; none where a ticket has none and its subject matched.
    pub message_id: Option<MessageId>,
    /// The subject as HTML, with marks.
    pub subject: String,
    /// The part of the message around the first match as HTML, with marks.
    pub snippet: String,
}

/// One ticket found.
pub struct Found {
    /// The ticket as in every list.
    pub listed: Listed,
    /// Why it is here.
    pub matched: Matched,
}

/// A ticket among those that match.
struct Hit {
    number: i64,
    newest: i64,
    oldest: i64,
    /// Words of the subject, then messages.
    score: i64,
    has_all_in_subject: bool,
    sort_micros: i64,
}

/// A page of tickets that match, by relevance or in one of the usual orders: a query for those that match, or two, one as for every
/// list, one for the snippets. Says where the next page starts.
pub fn list(
    conn: &mut Conn,
    filter: &Filter,
    text: &str,
    (sort, after): (Sort, Option<Cursor>),
    limit: usize,
    now: DateTime<Utc>,
) -> Result<(Vec<Found>, Option<Cursor>)> {
    let wanted = Wanted::parse(text);
    if wanted.is_empty() {
        return Ok((Vec::new(), None));
    }
    let notation = match conn {
        Conn::Pg(_) => wanted.tsquery(),
        Conn::Sqlite(_) => wanted.fts5(),
    };
    let search = Search { conditions: sql::conditions(filter, now), notation };
    let (hits, next) = match sort {
        Sort::Relevance => by_relevance(conn, &search, &wanted, after, limit)?,
        Sort::Due | Sort::Received | Sort::Updated => in_order(conn, &search, &wanted, (sort, after), limit)?,
    };
    Ok((shown(conn, hits, &wanted)?, next))
}

/// Step by step from the newest tickets to older ones; ranked within a step. A page that is not full when enough was looked at ends there,
/// and says where to go on.
fn by_relevance(
    conn: &mut Conn,
    search: &Search,
    wanted: &Wanted,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Hit>, Option<Cursor>)> {
    let (mut below, mut passed, first) =
        after.map_or((i64::MAX, None, 0), |(below, score, number, step)| (below, Some((score, number)), step));
    let mut page: Vec<Hit> = Vec::new();
    // A page that ends within a step goes on with the rest of what was ranked together.
    for (index, step) in STEPS.into_iter().enumerate().skip(first) {
        let rows = search.rows(conn, below, step)?;
        let ids = (rows.len(), rows.last().map(|row| row.0));
        let newest = rows.first().map(|row| row.0);
        let mut hits = hits(rows, wanted, Sort::Relevance);
        hits.sort_by_key(|hit| Reverse((hit.score, hit.number)));
        if let Some(passed) = passed.take() {
            hits.retain(|hit| (hit.score, hit.number) < passed);
        }
        let room = limit - page.len();
        if hits.len() > room {
            hits.truncate(room);
            // What comes after the first page does not move the step.
            let below = newest.map_or(below, |newest| first_of((newest >> ORDER_BITS) + 1).min(below));
            let (score, number) = hits.last().map_or((i64::MAX, i64::MAX), |hit| (hit.score, hit.number));
            page.append(&mut hits);
            return Ok((page, Some((below, score, number, index))));
        }
        page.append(&mut hits);
        match search.floor(conn, ids, below, step)? {
            Some(floor) => below = first_of(floor >> ORDER_BITS),
            None => return Ok((page, None)),
        }
    }
    Ok((page, Some((below, i64::MAX, i64::MAX, 0))))
}

/// The newest tickets' matches in an order of their own.
fn in_order(
    conn: &mut Conn,
    search: &Search,
    wanted: &Wanted,
    (sort, after): (Sort, Option<Cursor>),
    limit: usize,
) -> Result<(Vec<Hit>, Option<Cursor>)> {
    let mut hits = hits(search.rows(conn, i64::MAX, SORTED_MAX)?, wanted, sort);
    let key = |hit: &Hit| (hit.sort_micros, hit.number);
    let passed = after.map(|(_, micros, number, _)| (micros, number));
    if sort == Sort::Due {
        hits.sort_by_key(key);
        hits.retain(|hit| passed.is_none_or(|passed| key(hit) > passed));
    } else {
        hits.sort_by_key(|hit| Reverse(key(hit)));
        hits.retain(|hit| passed.is_none_or(|passed| key(hit) < passed));
    }
    let more = hits.len() > limit;
    hits.truncate(limit);
    let next = hits.last().filter(|_| more).map(|hit| (0, hit.sort_micros, hit.number, 0));
    Ok((hits, next))
}

/// Rows of documents, newest tickets first, as tickets.
fn hits(rows: Vec<Row>, wanted: &Wanted, sort: Sort) -> Vec<Hit> {
    let is_ranked = sort == Sort::Relevance;
    let mut hits: Vec<Hit> = Vec::new();
    for (id, number, subject, due, received, updated) in rows {
        if let Some(hit) = hits.last_mut().filter(|hit| hit.number == number) {
            hit.oldest = id;
            hit.score += 1;
            continue;
        }
        let in_subject = if is_ranked { mark::count(&subject, wanted) } else { 0 };
        let at = match sort {
            Sort::Due => due,
            Sort::Received | Sort::Relevance => received,
            Sort::Updated => updated,
        };
        hits.push(Hit {
            number,
            newest: id,
            oldest: id,
            score: ((in_subject as i64) << ORDER_BITS) + 1,
            has_all_in_subject: in_subject == wanted.with.len(),
            sort_micros: at.0.timestamp_micros(),
        });
    }
    hits
}

/// What is shown of a page of hits.
fn shown(conn: &mut Conn, hits: Vec<Hit>, wanted: &Wanted) -> Result<Vec<Found>> {
    let numbers: Vec<i64> = hits.iter().map(|hit| hit.number).collect();
    let mut listed: HashMap<i64, Listed> =
        queries::numbered(conn, &numbers)?.into_iter().map(|listed| (listed.ticket.number, listed)).collect();
    // Where the subject says it all, what was written first; else the newest message that holds the rest.
    let document = |hit: &Hit| if hit.has_all_in_subject { hit.oldest } else { hit.newest };
    let said = sql::said(conn, hits.iter().map(document).collect())?;
    let found = hits.iter().filter_map(|hit| {
        // It may have gone since it was found.
        let listed = listed.remove(&hit.number)?;
        let message = said.get(&document(hit));
        let matched = Matched {
            message_id: message.map(|(id, _)| *id),
            subject: mark::whole(&listed.ticket.subject, wanted),
            snippet: message.map_or_else(String::new, |(_, body)| mark::snippet(body, wanted)),
        };
        Some(Found { listed, matched })
    });
    Ok(found.collect())
}
