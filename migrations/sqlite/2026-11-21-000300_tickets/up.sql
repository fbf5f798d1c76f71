-- promise_due_at and promise_warn_at are caches over the ticket's running clocks for lists;
-- the far future (9999-12-31) stands for "nothing runs" so that one index serves every sort.
CREATE TABLE tickets (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  subject TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('phone', 'email', 'chat', 'web')),
  direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
  status TEXT NOT NULL CHECK (status IN ('open', 'pending', 'on_hold', 'closed')),
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'critical')),
  contact_id BLOB NOT NULL REFERENCES contacts(id),
  organization_id BLOB REFERENCES organizations(id),
  team_id BLOB REFERENCES teams(id),
  assignee_id BLOB REFERENCES agents(id),
  follows_id BLOB,
  received_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  picked_up_at INTEGER,
  closed_at INTEGER,
  close_count INTEGER NOT NULL,
  version INTEGER NOT NULL,
  promise_due_at INTEGER NOT NULL,
  promise_warn_at INTEGER NOT NULL,
  promises_breached INTEGER NOT NULL,
  promises_met INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_by_due ON tickets (promise_due_at, number);
CREATE INDEX tickets_by_status_due ON tickets (status, promise_due_at, number);
CREATE INDEX tickets_by_status_updated ON tickets (status, updated_at, number);
CREATE INDEX tickets_by_received ON tickets (received_at, number);
CREATE INDEX tickets_by_updated ON tickets (updated_at, number);
CREATE INDEX tickets_by_contact ON tickets (contact_id, received_at);
CREATE INDEX tickets_by_organization ON tickets (organization_id, received_at);
CREATE INDEX tickets_by_assignee ON tickets (assignee_id, status, promise_due_at);
CREATE INDEX tickets_by_team ON tickets (team_id, status, promise_due_at);
CREATE TABLE ticket_tags (
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (ticket_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_tags_by_tag ON ticket_tags (tag, ticket_id);
CREATE TABLE messages (
  id BLOB PRIMARY KEY NOT NULL,
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('inbound', 'reply', 'note', 'automatic')),
  agent_id BLOB REFERENCES agents(id),
  contact_id BLOB REFERENCES contacts(id),
  body TEXT NOT NULL,
  mail_message_id TEXT,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_ticket ON messages (ticket_id, at, id);
-- channel to organization_id say whose promise it was: they follow the ticket until the clock is decided.
CREATE TABLE clocks (
  id BLOB PRIMARY KEY NOT NULL,
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  metric TEXT NOT NULL CHECK (metric IN ('pickup', 'first_response', 'next_response', 'resolution')),
  cycle INTEGER NOT NULL,
  policy_id BLOB NOT NULL,
  policy_version INTEGER NOT NULL,
  calendar_id BLOB NOT NULL,
  calendar_version INTEGER NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('always', 'business_hours', 'when_open')),
  target_seconds INTEGER NOT NULL,
  warn_percent INTEGER NOT NULL,
  pauses INTEGER NOT NULL,
  standing TEXT NOT NULL,
  reason TEXT,
  started_at INTEGER NOT NULL,
  anchor_at INTEGER NOT NULL,
  used_at_anchor INTEGER NOT NULL,
  due_at INTEGER,
  warn_at INTEGER,
  warned_at INTEGER,
  breached_at INTEGER,
  reached_at INTEGER,
  used_seconds INTEGER,
  alarm_at INTEGER,
  channel TEXT NOT NULL,
  priority TEXT NOT NULL,
  team_id BLOB,
  agent_id BLOB,
  organization_id BLOB,
  UNIQUE (ticket_id, metric, cycle)
) STRICT;
CREATE INDEX clocks_by_alarm ON clocks (alarm_at) WHERE alarm_at IS NOT NULL;
CREATE INDEX clocks_by_start ON clocks (started_at);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket_id BLOB,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_id BLOB,
  at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_ticket ON events (ticket_id, id);
