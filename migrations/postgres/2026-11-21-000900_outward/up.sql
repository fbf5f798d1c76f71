-- What an administrative change was about: such events belong to no ticket. The indexes leave the events of tickets out.
ALTER TABLE events ADD COLUMN object TEXT;
ALTER TABLE events ADD COLUMN object_id UUID;
CREATE INDEX events_audited ON events (id) WHERE object IS NOT NULL;
CREATE INDEX events_by_object ON events (object, id) WHERE object IS NOT NULL;
CREATE INDEX events_by_object_id ON events (object_id, id) WHERE object IS NOT NULL;
CREATE INDEX events_by_actor ON events (actor_id, id) WHERE object IS NOT NULL;
-- The secret is kept as it is: every delivery is signed with it. previous_secret signs beside it until previous_until.
-- next_at is when the first of its deliveries is due; lease_until keeps two nodes from sending the same ones.
CREATE TABLE webhooks (
  id UUID PRIMARY KEY NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  topics TEXT NOT NULL,
  is_active BOOLEAN NOT NULL,
  secret BYTEA NOT NULL,
  previous_secret BYTEA,
  previous_until BIGINT,
  after_event_id BIGINT NOT NULL,
  failing_since BIGINT,
  disabled_at BIGINT,
  disabled_reason TEXT,
  next_at BIGINT,
  lease_until BIGINT,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX webhooks_by_next ON webhooks (next_at) WHERE next_at IS NOT NULL;
-- One row: events up to event_id were handed to the webhooks; those up to horizon_id will be, once no transaction that began
-- before horizon_xid is open (PostgreSQL alone).
CREATE TABLE webhook_cursor (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  event_id BIGINT NOT NULL,
  horizon_id BIGINT,
  horizon_xid BIGINT
);
INSERT INTO webhook_cursor (id, event_id) VALUES (1, 0);
CREATE TABLE webhook_deliveries (
  id UUID PRIMARY KEY NOT NULL,
  webhook_id UUID NOT NULL REFERENCES webhooks(id) ON DELETE CASCADE,
  event_id BIGINT,
  ticket_id UUID,
  topic TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts INTEGER NOT NULL,
  next_at BIGINT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_by_next ON webhook_deliveries (webhook_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE webhook_attempts (
  delivery_id UUID NOT NULL REFERENCES webhook_deliveries(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at BIGINT NOT NULL,
  duration_ms INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  answer TEXT,
  PRIMARY KEY (delivery_id, number)
);
-- done counts the rows of the file that are worked off: a killed import goes on behind them.
CREATE TABLE imports (
  id UUID PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('organizations', 'contacts', 'tickets')),
  format TEXT NOT NULL CHECK (format IN ('csv', 'jsonl')),
  dry_run BOOLEAN NOT NULL,
  create_missing BOOLEAN NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  actor TEXT NOT NULL,
  actor_id UUID,
  body TEXT,
  total INTEGER NOT NULL,
  done INTEGER NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  error TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT
);
CREATE TABLE import_errors (
  import_id UUID NOT NULL REFERENCES imports(id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  number INTEGER NOT NULL,
  external_id TEXT,
  field TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (import_id, line, number)
);
-- What came from another desk under which name there. print is the digest of the row as it was last taken in;
-- history_count and history_print say the same of a ticket's history.
CREATE TABLE import_keys (
  kind TEXT NOT NULL,
  external_id TEXT NOT NULL,
  object_id UUID NOT NULL,
  print BYTEA NOT NULL,
  history_count INTEGER NOT NULL,
  history_print BYTEA NOT NULL,
  last_event_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (kind, external_id)
);
CREATE UNIQUE INDEX import_keys_by_object ON import_keys (kind, object_id);
