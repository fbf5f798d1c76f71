//! A desk with a past: tickets over two years, with their clocks, messages, events, letters, invitations and answers.
//!
//! Everything is drawn from the ticket's number, so both databases and every run hold the same desk. Received instants are spread
//! evenly; of old tickets nearly all are closed, of the last day's nearly none.
use super::Failure;
use super::dialect::Dialect;
use deskbell::clock::Clock;
use deskbell::db::{Conn, migrate};
use deskbell::tickets::search;
use deskbell::{ids, setup};
use diesel::connection::SimpleConnection;

/// Agents, the first of whom shows the tokens.
pub const AGENTS: i64 = 12;
/// Teams.
pub const TEAMS: i64 = 4;
/// Tokens in use.
pub const TOKENS: usize = 16;
/// Contacts, each with a mail address.
pub const CONTACTS: i64 = 5_000;
const ORGANIZATIONS: i64 = 500;
const SPAN_DAYS: i64 = 730;
const DAY: i64 = 86_400_000_000;
/// 2024-01-01, the milliseconds in the ids of accounts.
const FOUNDED_MS: i64 = 1_704_067_200_000;
/// What stands for "nothing runs" in a ticket's caches, in microseconds.
const NEVER: i64 = 253_402_214_400_000_000;

/// Kinds of ids.
mod kind {
    pub const ORGANIZATION: u16 = 1;
    pub const CONTACT: u16 = 2;
    pub const AGENT: u16 = 3;
    pub const TEAM: u16 = 4;
    pub const TOKEN: u16 = 5;
    pub const TICKET: u16 = 6;
    pub const MESSAGE: u16 = 7;
    pub const CLOCK: u16 = 11;
    pub const MAIL: u16 = 12;
    pub const INVITATION: u16 = 13;
    pub const RESPONSE: u16 = 14;
    pub const JOB: u16 = 15;
}

/// The secret of a token.
pub fn secret(index: usize) -> String {
    format!("bench-token-{:032}", index % TOKENS)
}

/// The address of a contact.
pub fn email(number: usize) -> String {
    format!("person{}@reseller{}.example", number as i64 % CONTACTS + 1, (number as i64 % CONTACTS + 1) % ORGANIZATIONS)
}

/// The id of a team.
pub fn team(number: usize) -> String {
    let number = number as i64 % TEAMS + 1;
    uuid::Uuid::from_u128((u128::from(FOUNDED_MS as u64) << 80) | (0x0007_0048_u128 << 60) | number as u128).to_string()
}

/// A GET with a token.
pub fn get(path: &str, token: usize) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {}\r\n\r\n", secret(token)).into_bytes()
}

/// Makes the schema and a desk of so many tickets; the last of them came in now.
pub fn fill(url: &str, dialect: Dialect, tickets: i64) -> Result<(), Failure> {
    let now = Clock::System.now();
    let mut conn = Conn::open(url)?;
    migrate::up(&mut conn)?;
    conn.write(|conn| setup::first_start(conn, now))?;
    run(&mut conn, dialect.before_load())?;
    run(&mut conn, "BEGIN")?;
    for statement in accounts(dialect).into_iter().chain(desk(dialect, tickets, now.timestamp_micros())) {
        run(&mut conn, &statement).map_err(|error| format!("{error}\n{statement}"))?;
    }
    run(&mut conn, "COMMIT")?;
    // An index that is there already is filled several times slower than it is made.
    run(&mut conn, dialect.before_words())?;
    conn.write(search::index::catch_up)?;
    run(&mut conn, dialect.after_words())?;
    drop(conn);
    run(&mut Conn::open(url)?, dialect.after_load())
}

/// Runs statements as they are.
pub fn run(conn: &mut Conn, sql: &str) -> Result<(), Failure> {
    // PostgreSQL would run several statements as one transaction, which VACUUM refuses.
    match conn {
        Conn::Pg(conn) => Ok(sql.split_inclusive("; ").try_for_each(|one| conn.batch_execute(one))?),
        Conn::Sqlite(conn) => Ok(conn.batch_execute(sql)?),
    }
}

fn accounts(d: Dialect) -> Vec<String> {
    let id = |kind: u16, number: &str| d.id(kind, &FOUNDED_MS.to_string(), number);
    let born = FOUNDED_MS * 1_000;
    let numbers = |to: i64| d.numbers(1, to);
    let contact = id(kind::CONTACT, "i");
    let mut all = vec![
        format!(
            "INSERT INTO organizations (id, account, name, version, created_at, updated_at)
             SELECT {}, 'account-' || i, 'Reseller ' || i, 1, {born}, {born} FROM {}",
            id(kind::ORGANIZATION, "i"),
            numbers(ORGANIZATIONS)
        ),
        format!(
            "INSERT INTO contacts (id, organization_id, name, time_zone, language, version, created_at, updated_at)
             SELECT {contact}, {}, 'Person ' || i, NULL, 'en', 1, {born}, {born} FROM {}",
            id(kind::ORGANIZATION, &format!("1 + i % {ORGANIZATIONS}")),
            numbers(CONTACTS)
        ),
        format!(
            "INSERT INTO contact_emails (address, contact_id, position)
             SELECT 'person' || i || '@reseller' || (i % {ORGANIZATIONS}) || '.example', {contact}, 0 FROM {}",
            numbers(CONTACTS)
        ),
        format!(
            "INSERT INTO agents (id, name, email, role, version, created_at, updated_at)
             SELECT {}, 'Agent ' || i, 'agent' || i || '@desk.example', 'manager', 1, {born}, {born} FROM {}",
            id(kind::AGENT, "i"),
            numbers(AGENTS)
        ),
        format!(
            "INSERT INTO teams (id, name, version, created_at, updated_at) SELECT {}, 'Team ' || i, 1, {born}, {born} FROM {}",
            id(kind::TEAM, "i"),
            numbers(TEAMS)
        ),
    ];
    all.extend((0..TOKENS).map(|index| {
        format!(
            "INSERT INTO tokens (id, agent_id, name, scopes, secret_hash, created_at) VALUES ({}, {}, 'Bench', 'manager', {}, {born})",
            id(kind::TOKEN, &index.to_string()),
            id(kind::AGENT, &(index as i64 % AGENTS + 1).to_string()),
            d.bytes(&ids::digest(&secret(index)))
        )
    }));
    all
}

/// One of 0 to 9999 for each ticket, different for each salt.
fn draw(salt: u32) -> String {
    format!("((i * {salt} % 4294967296) / 65536 % 10000)")
}

/// What happened to each ticket, from which all tables are filled.
fn facts(d: Dialect, tickets: i64, now: i64) -> [String; 2] {
    let received = format!("{now} - ({tickets} - i) * {}", SPAN_DAYS * DAY / tickets);
    let (channel, late, fate, more, minutes) =
        (draw(2_654_435_761), draw(2_246_822_519), draw(3_266_489_917), draw(668_265_263), draw(374_761_393));
    let drawn = format!(
        "CREATE TEMPORARY TABLE drawn AS SELECT i, {received} AS received,
           CASE WHEN {channel} < 6000 THEN 'email' WHEN {channel} < 8500 THEN 'phone' WHEN {channel} < 9500 THEN 'chat' ELSE 'web' END AS channel,
           {late} AS late, {fate} AS fate, {more} AS more, {minutes} AS minutes,
           CASE i % 20 WHEN 0 THEN 'critical' WHEN 1 THEN 'low' WHEN 2 THEN 'low' WHEN 3 THEN 'high' WHEN 4 THEN 'high' ELSE 'normal' END AS priority,
           1 + i * 7919 % {CONTACTS} AS contact, 1 + i * 31 % {AGENTS} AS agent, 1 + i * 17 % {TEAMS} AS team
         FROM {}",
        d.numbers(1, tickets)
    );
    // Calls and chats are picked up within 18 s, mails answered within 17 h; 6 in 100 are late. A close follows within 28 h.
    let told = format!(
        "CREATE TEMPORARY TABLE told AS SELECT f.*,
           CASE WHEN channel IN ('phone', 'chat') THEN received + 3000000 + CASE WHEN late < 600 THEN late * 100000 + 18000000 ELSE minutes * 1500 END
                WHEN {now} - received > {DAY} * 3 OR fate < 5000 THEN received + CASE WHEN late < 600 THEN {DAY} + late * 60000000 ELSE 1800000000 + minutes * 6000000 END
           END AS answered,
           CASE WHEN ({now} - received > {DAY} * 4 AND fate < 9950) THEN received + {DAY} * 2 + late * 6000000 + more * 6000000 END AS closed
         FROM drawn f"
    );
    [drawn, told]
}

fn desk(d: Dialect, tickets: i64, now: i64) -> Vec<String> {
    let at = |kind: u16, micros: &str| d.id(kind, &format!("({micros}) / 1000"), "i");
    let account = |kind: u16, number: &str| d.id(kind, &FOUNDED_MS.to_string(), number);
    let (ticket, clock, invitation) = (at(kind::TICKET, "received"), at(kind::CLOCK, "received"), at(kind::INVITATION, "closed"));
    let (contact, organization) =
        (account(kind::CONTACT, "contact"), account(kind::ORGANIZATION, &format!("1 + contact % {ORGANIZATIONS}")));
    let (agent, team) = (account(kind::AGENT, "agent"), account(kind::TEAM, "team"));
    let is_promised = "channel <> 'web'";
    let target = "CASE channel WHEN 'email' THEN 86400 ELSE 20 END";
    let due = "received + CASE channel WHEN 'email' THEN 86400000000 ELSE 20000000 END";
    let breached = format!("(channel <> 'web' AND COALESCE(answered, {now}) > {due})");
    let running = format!("(channel <> 'web' AND answered IS NULL AND {due} >= {now})");
    let sent = format!("(closed + 10800000000 < {now})");
    let answered_survey = format!("({sent} AND closed + 10800000000 + minutes * 8000000 < {now} AND more % 4 = 0)");
    let response = at(kind::RESPONSE, "closed");
    let score = "CASE WHEN minutes % 100 < 25 THEN 10 WHEN minutes % 100 < 45 THEN 9 WHEN minutes % 100 < 70 THEN 7 + minutes % 2 ELSE minutes % 7 END";
    let comment = "CASE WHEN late % 5 < 2 THEN 'It took two answers, but then it worked. Please say earlier how long a transfer takes.' ELSE '' END";
    let text = "'Hello, the transfer of the domain example' || i || '.example has been waiting for three days now and the registry says that it was never asked. Our customer moves on Friday and needs the zone by then. The order number is ' || (i * 7) || ', the auth code was entered twice. Could you have a look, and tell us what we can tell them? Many thanks.'";
    let of_one = |kind: u16, at_micros: &str, what: &str, agent: &str, contact: &str, filter: &str| {
        format!(
            "INSERT INTO messages (id, ticket_id, kind, agent_id, contact_id, body, at)
             SELECT {}, {ticket}, '{what}', {agent}, {contact}, {text}, {at_micros} FROM told WHERE {filter}",
            at(kind, at_micros)
        )
    };
    let event = |what: &str, actor: &str, actor_id: &str, at_micros: &str, data: &str, filter: &str| {
        format!(
            "INSERT INTO events (ticket_id, kind, actor, actor_id, at, data)
             SELECT {ticket}, '{what}', '{actor}', {actor_id}, {at_micros}, {} FROM told WHERE {filter}",
            d.json(data)
        )
    };
    let received_data = r#"{"number":1,"channel":"email","direction":"inbound","priority":"normal","received_at":"2026-01-01T10:00:00.123456Z","contact_id":"018cc251-f400-7002-8000-000000000001","follows_id":null}"#;
    let clock_data = r#"{"clock_id":"018cc251-f400-700b-8000-000000000001","metric":"first_response","cycle":1,"due_at":"2026-01-02T10:00:00.123456Z","used_seconds":1234,"verdict":"met","written_at":"2026-01-01T11:00:00.123456Z"}"#;
    let reply_data = r#"{"message_id":"018cc251-f400-7007-8000-000000000001","mail_id":"018cc251-f400-700c-8000-000000000001","assignee_id":"018cc251-f400-7003-8000-000000000001"}"#;
    let [drawn, told] = facts(d, tickets, now);
    vec![
        drawn,
        told,
        format!(
            "INSERT INTO tickets (number, id, subject, channel, direction, status, priority, contact_id, organization_id, team_id, assignee_id,
               received_at, created_at, updated_at, picked_up_at, closed_at, close_count, version, promise_due_at, promise_warn_at,
               promises_breached, promises_met, tags)
             SELECT i, {ticket}, 'Transfer of example' || i || '.example is stuck', channel, 'inbound',
               CASE WHEN closed IS NOT NULL THEN 'closed' WHEN fate % 10 < 6 THEN 'open' WHEN fate % 10 < 9 THEN 'pending' ELSE 'on_hold' END,
               priority, {contact}, {organization}, {team}, CASE WHEN answered IS NOT NULL THEN {agent} END, received, received,
               COALESCE(closed, answered, received), CASE WHEN channel IN ('phone', 'chat') THEN answered END, closed,
               CASE WHEN closed IS NULL THEN 0 ELSE 1 END, 3, CASE WHEN {running} THEN {due} ELSE {NEVER} END, {NEVER},
               CASE WHEN {breached} THEN 1 ELSE 0 END, CASE WHEN channel <> 'web' AND NOT {breached} AND answered IS NOT NULL THEN 1 ELSE 0 END,
               CASE WHEN more < 3000 THEN '[\"tag-' || (fate % 10) || '\"]' ELSE '[]' END
             FROM told ORDER BY i"
        ),
        format!("INSERT INTO ticket_tags (ticket_id, tag) SELECT {ticket}, 'tag-' || (fate % 10) FROM told WHERE more < 3000"),
        of_one(kind::MESSAGE, "received", "inbound", "NULL", &contact, "1 = 1"),
        of_one(kind::MESSAGE + 1, "answered", "reply", &agent, "NULL", "answered IS NOT NULL"),
        of_one(kind::MESSAGE + 2, "answered + 3000000000", "inbound", "NULL", &contact, "closed IS NOT NULL AND more < 4000"),
        of_one(kind::MESSAGE + 3, "answered + 6000000000", "reply", &agent, "NULL", "closed IS NOT NULL AND more < 4000"),
        format!(
            "INSERT INTO clocks (id, ticket_id, metric, cycle, policy_id, policy_version, calendar_id, calendar_version, mode, target_seconds,
               warn_percent, pauses, standing, reason, started_at, anchor_at, used_at_anchor, due_at, warn_at, warned_at, breached_at, reached_at,
               used_seconds, alarm_at, channel, priority, team_id, agent_id, organization_id)
             SELECT {clock}, {ticket}, CASE channel WHEN 'email' THEN 'first_response' ELSE 'pickup' END, 1,
               (SELECT id FROM policies ORDER BY position DESC LIMIT 1), 1, (SELECT id FROM calendars LIMIT 1), 1,
               CASE channel WHEN 'email' THEN 'always' ELSE 'when_open' END, {target}, 75, FALSE,
               CASE WHEN answered IS NULL THEN 'running' WHEN channel <> 'email' AND fate % 10 < 2 THEN 'not_promised' ELSE 'reached' END,
               CASE WHEN channel <> 'email' AND fate % 10 < 2 THEN 'closed' END, received, received, 0, {due}, NULL, NULL,
               CASE WHEN {breached} THEN {due} END, answered, (answered - received) / 1000000, CASE WHEN {running} THEN {due} END,
               channel, priority, {team}, CASE WHEN answered IS NOT NULL THEN {agent} END, {organization} FROM told WHERE {is_promised}"
        ),
        event("ticket_received", "machine", &account(kind::TOKEN, "1"), "received", received_data, "1 = 1"),
        event("clock_started", "desk", "NULL", "received", clock_data, is_promised),
        event("agent_replied", "agent", &agent, "answered", reply_data, "answered IS NOT NULL"),
        event("clock_reached", "agent", &agent, "answered", clock_data, "answered IS NOT NULL AND channel <> 'web'"),
        event("clock_breached", "desk", "NULL", due, clock_data, &breached),
        event("ticket_closed", "agent", &agent, "closed", r#"{"close_number":1}"#, "closed IS NOT NULL"),
        format!(
            "INSERT INTO mails (id, kind, ticket_id, subject_id, recipient, subject, message_id, text_body, html_body, state, attempts,
               created_at, sent_at)
             SELECT {}, 'reply', {ticket}, {}, 'person' || contact || '@reseller.example', 'Re: example' || i, '<message-' || i || '@localhost>',
               {text}, '<html><body><p>' || {text} || '</p></body></html>', 'sent', 1, answered, answered FROM told WHERE answered IS NOT NULL",
            at(kind::MAIL, "answered"),
            at(kind::MESSAGE + 1, "answered")
        ),
        format!(
            "INSERT INTO survey_invitations (id, ticket_id, close_number, contact_id, closed_at, due_at, outcome, outcome_at, token_hash,
               unsubscribe_hash, sent_at, expires_at, is_answered, channel, priority, team_id, assignee_id, organization_id, agent_ids)
             SELECT {invitation}, {ticket}, 1, {contact}, closed, closed + 10800000000, CASE WHEN {sent} THEN 'sent' ELSE 'waiting' END, closed,
               {}, {}, CASE WHEN {sent} THEN closed + 10800000000 END, CASE WHEN {sent} THEN closed + 10800000000 + 14 * {DAY} END,
               {answered_survey}, channel, priority, {team}, {agent}, {organization}, {} FROM told WHERE closed IS NOT NULL",
            d.hash(&format!("CASE WHEN {sent} THEN i * 2 END")),
            d.hash(&format!("CASE WHEN {sent} THEN i * 2 + 1 END")),
            d.json(r#"["018cc251-f400-7003-8000-000000000001"]"#)
        ),
        format!(
            "INSERT INTO jobs (id, kind, subject_id, due_at, attempts, created_at)
             SELECT {}, 'send_survey', {invitation}, closed + 10800000000, 0, closed FROM told WHERE closed IS NOT NULL AND NOT {sent}",
            at(kind::JOB, "closed")
        ),
        format!(
            "INSERT INTO survey_responses (id, invitation_id, score, comment, answered_at, revision)
             SELECT {response}, {invitation}, {score}, {comment}, closed + 10800000000 + minutes * 8000000, 1 FROM told
             WHERE closed IS NOT NULL AND {answered_survey}"
        ),
        format!(
            "INSERT INTO survey_reviews (response_id, state, rank, causes, note) SELECT {response}, 'reviewed', minutes % 4, {}, '' FROM told
             WHERE closed IS NOT NULL AND {answered_survey}",
            d.json("[]")
        ),
        "DROP TABLE told".to_owned(),
        "DROP TABLE drawn".to_owned(),
    ]
}
