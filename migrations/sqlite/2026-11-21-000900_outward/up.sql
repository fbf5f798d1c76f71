-- What an administrative change was about: such events belong to no ticket. The indexes leave the events of tickets out.
ALTER TABLE events ADD COLUMN object TEXT;
ALTER TABLE events ADD COLUMN object_id BLOB;
CREATE INDEX events_audited ON events (id) WHERE object IS NOT NULL;
CREATE INDEX events_by_object ON events (object, id) WHERE object IS NOT NULL;
CREATE INDEX events_by_object_id ON events (object_id, id) WHERE object IS NOT NULL;
CREATE INDEX events_by_actor ON events (actor_id, id) WHERE object IS NOT NULL;
-- The secret is kept as it is: every delivery is signed with it. previous_secret signs beside it until previous_until.
-- next_at is when the first of its deliveries is due; lease_until keeps two nodes from sending the same ones.
CREATE TABLE webhooks (
  id BLOB PRIMARY KEY NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  topics TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  secret BLOB NOT NULL,
  previous_secret BLOB,
  previous_until INTEGER,
  after_event_id INTEGER NOT NULL,
  failing_since INTEGER,
  disabled_at INTEGER,
  disabled_reason TEXT,
  next_at INTEGER,
  lease_until INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_next ON webhooks (next_at) WHERE next_at IS NOT NULL;
-- One row: events up to event_id were handed to the webhooks; those up to horizon_id will be, once no transaction that began
-- before horizon_xid is open (PostgreSQL alone).
CREATE TABLE webhook_cursor (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  event_id INTEGER NOT NULL,
  horizon_id INTEGER,
  horizon_xid INTEGER
) STRICT;
INSERT INTO webhook_cursor (id, event_id) VALUES (1, 0);
CREATE TABLE webhook_deliveries (
  id BLOB PRIMARY KEY NOT NULL,
  webhook_id BLOB NOT NULL REFERENCES webhooks(id) ON DELETE CASCADE,
  event_id INTEGER,
  ticket_id BLOB,
  topic TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts INTEGER NOT NULL,
  next_at INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  UNIQUE (webhook_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_by_next ON webhook_deliveries (webhook_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE webhook_attempts (
  delivery_id BLOB NOT NULL REFERENCES webhook_deliveries(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  answer TEXT,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
-- done counts the rows of the file that are worked off: a killed import goes on behind them.
CREATE TABLE imports (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('organizations', 'contacts', 'tickets')),
  format TEXT NOT NULL CHECK (format IN ('csv', 'jsonl')),
  dry_run INTEGER NOT NULL,
  create_missing INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  actor TEXT NOT NULL,
  actor_id BLOB,
  body TEXT,
  total INTEGER NOT NULL,
  done INTEGER NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  error TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE import_errors (
  import_id BLOB NOT NULL REFERENCES imports(id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  number INTEGER NOT NULL,
  external_id TEXT,
  field TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (import_id, line, number)
) STRICT, WITHOUT ROWID;
-- What came from another desk under which name there. print is the digest of the row as it was last taken in;
-- history_count and history_print say the same of a ticket's history.
CREATE TABLE import_keys (
  kind TEXT NOT NULL,
  external_id TEXT NOT NULL,
  object_id BLOB NOT NULL,
  print BLOB NOT NULL,
  history_count INTEGER NOT NULL,
  history_print BLOB NOT NULL,
  last_event_id INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (kind, external_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX import_keys_by_object ON import_keys (kind, object_id);
