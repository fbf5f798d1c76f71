-- What is kept of a call beside its events is a fold over them, repeated here for lists and figures.
CREATE TABLE calls (
  id BLOB PRIMARY KEY NOT NULL,
  external_id TEXT NOT NULL UNIQUE,
  direction TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  is_promised INTEGER,
  from_number TEXT,
  to_number TEXT,
  queue TEXT,
  team_id BLOB REFERENCES teams(id),
  agent_id BLOB REFERENCES agents(id),
  contact_id BLOB REFERENCES contacts(id),
  ticket_id BLOB,
  rang_ticket_id BLOB,
  pickup_clock_id BLOB,
  callback_clock_id BLOB,
  at INTEGER NOT NULL,
  rang_at INTEGER,
  answered_at INTEGER,
  voicemail_at INTEGER,
  ended_at INTEGER,
  wait_seconds INTEGER,
  talk_seconds INTEGER,
  recording_url TEXT,
  transcript TEXT,
  doubts TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX calls_by_time ON calls (at, id);
CREATE INDEX calls_by_outcome ON calls (outcome, at, id);
CREATE INDEX calls_by_ticket ON calls (ticket_id, at);
CREATE INDEX calls_by_contact ON calls (contact_id, at);
CREATE TABLE call_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id BLOB NOT NULL REFERENCES calls(id),
  digest BLOB NOT NULL,
  kind TEXT NOT NULL,
  direction TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  token_id BLOB,
  from_text TEXT,
  to_text TEXT,
  agent_text TEXT,
  agent_id BLOB,
  queue TEXT,
  recording_url TEXT,
  transcript TEXT,
  UNIQUE (call_id, digest)
) STRICT;
CREATE TABLE agent_phones (
  agent_id BLOB PRIMARY KEY NOT NULL REFERENCES agents(id),
  number TEXT NOT NULL UNIQUE,
  updated_at INTEGER NOT NULL
) STRICT;
