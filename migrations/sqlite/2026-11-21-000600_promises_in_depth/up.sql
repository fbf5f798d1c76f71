-- An edit of a policy or a calendar that running clocks have to follow; phase and cursor say how far that went.
CREATE TABLE clock_moves (
  id BLOB PRIMARY KEY NOT NULL,
  because TEXT NOT NULL CHECK (because IN ('policy', 'calendar')),
  edited_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  cursor_at INTEGER,
  cursor_id BLOB,
  moved INTEGER NOT NULL,
  finished_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX clock_moves_open ON clock_moves (edited_id, version) WHERE finished_at IS NULL;
CREATE INDEX clocks_paused ON clocks (id) WHERE standing = 'paused';
-- One warning or breach of a clock that people have to hear of; next_at is when the next step of the ladder is due.
CREATE TABLE alerts (
  id BLOB PRIMARY KEY NOT NULL,
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  clock_id BLOB NOT NULL,
  metric TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('warning', 'breach')),
  raised_at INTEGER NOT NULL,
  step INTEGER NOT NULL,
  next_at INTEGER,
  told_at INTEGER,
  acknowledged_at INTEGER,
  acknowledged_by BLOB REFERENCES agents(id),
  ended_at INTEGER,
  end_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_open ON alerts (raised_at, id) WHERE ended_at IS NULL;
CREATE INDEX alerts_by_time ON alerts (raised_at, id);
CREATE INDEX alerts_due ON alerts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alerts_by_clock ON alerts (clock_id);
CREATE INDEX alerts_by_ticket ON alerts (ticket_id, raised_at);
-- A letter to one of the staff about all that climbed at the same time.
CREATE TABLE alert_letters (
  id BLOB PRIMARY KEY NOT NULL,
  agent_id BLOB NOT NULL REFERENCES agents(id),
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  text_body TEXT NOT NULL,
  html_body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'parked')),
  attempts INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT;
CREATE INDEX alert_letters_by_state ON alert_letters (state, created_at);
