CREATE TABLE jobs (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  subject_id BLOB NOT NULL,
  due_at INTEGER NOT NULL,
  lease_until INTEGER,
  attempts INTEGER NOT NULL,
  parked_at INTEGER,
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_due ON jobs (due_at) WHERE parked_at IS NULL;
CREATE INDEX jobs_by_subject ON jobs (subject_id);
-- A survey letter keeps no body: its token must not be readable here.
CREATE TABLE mails (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('reply', 'survey')),
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  subject_id BLOB NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT,
  reference_ids TEXT,
  text_body TEXT,
  html_body TEXT,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'parked', 'cancelled', 'unknown')),
  attempts INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT;
CREATE INDEX mails_by_state ON mails (state, created_at, id);
CREATE INDEX mails_by_age ON mails (created_at, id);
CREATE INDEX mails_by_ticket ON mails (ticket_id, created_at);
CREATE INDEX mails_by_subject ON mails (subject_id);
