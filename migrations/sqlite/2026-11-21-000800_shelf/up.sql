-- A copy of what the list of a message's files shows, so that a ticket is read without asking for them.
ALTER TABLE messages ADD COLUMN attachments TEXT;
-- A file that was handed in; without a message it is waiting for one, and is swept after a day. The bytes are in the store.
CREATE TABLE attachments (
  id BLOB PRIMARY KEY NOT NULL,
  message_id BLOB REFERENCES messages(id) ON DELETE SET NULL,
  token_id BLOB NOT NULL,
  agent_id BLOB REFERENCES agents(id),
  file_name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attachments_by_message ON attachments (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_waiting ON attachments (created_at) WHERE message_id IS NULL;
CREATE TABLE canned_replies (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  team_id BLOB REFERENCES teams(id),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX canned_replies_by_team ON canned_replies (team_id, id);
CREATE TABLE saved_views (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('own', 'team', 'everyone')),
  agent_id BLOB NOT NULL REFERENCES agents(id),
  team_id BLOB REFERENCES teams(id),
  filter TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_views_by_agent ON saved_views (agent_id, id);
CREATE INDEX saved_views_by_audience ON saved_views (audience, team_id, id);
CREATE TABLE fields (
  key TEXT PRIMARY KEY NOT NULL,
  id BLOB NOT NULL UNIQUE,
  label TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'number', 'boolean', 'date', 'choice')),
  required_to_close INTEGER NOT NULL,
  options TEXT NOT NULL,
  position INTEGER NOT NULL,
  is_archived INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX fields_by_position ON fields (position, id);
-- The values of a ticket, as they are shown; null where it has none.
ALTER TABLE tickets ADD COLUMN fields TEXT;
-- The same values for filters, one a row, each in its one spelling.
CREATE TABLE ticket_fields (
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  key TEXT NOT NULL REFERENCES fields(key),
  value TEXT NOT NULL,
  PRIMARY KEY (ticket_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_fields_by_value ON ticket_fields (key, value, ticket_id);
