-- A copy of what the list of a message's files shows, so that a ticket is read without asking for them.
ALTER TABLE messages ADD COLUMN attachments JSONB;
-- A file that was handed in; without a message it is waiting for one, and is swept after a day. The bytes are in the store.
CREATE TABLE attachments (
  id UUID PRIMARY KEY NOT NULL,
  message_id UUID REFERENCES messages(id) ON DELETE SET NULL,
  token_id UUID NOT NULL,
  agent_id UUID REFERENCES agents(id),
  file_name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX attachments_by_message ON attachments (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_waiting ON attachments (created_at) WHERE message_id IS NULL;
CREATE TABLE canned_replies (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  team_id UUID REFERENCES teams(id),
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX canned_replies_by_team ON canned_replies (team_id, id);
CREATE TABLE saved_views (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('own', 'team', 'everyone')),
  agent_id UUID NOT NULL REFERENCES agents(id),
  team_id UUID REFERENCES teams(id),
  filter JSONB NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX saved_views_by_agent ON saved_views (agent_id, id);
CREATE INDEX saved_views_by_audience ON saved_views (audience, team_id, id);
CREATE TABLE fields (
  key TEXT PRIMARY KEY NOT NULL,
  id UUID NOT NULL UNIQUE,
  label TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'number', 'boolean', 'date', 'choice')),
  required_to_close BOOLEAN NOT NULL,
  options JSONB NOT NULL,
  position INTEGER NOT NULL,
  is_archived BOOLEAN NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX fields_by_position ON fields (position, id);
-- The values of a ticket, as they are shown; null where it has none.
ALTER TABLE tickets ADD COLUMN fields JSONB;
-- The same values for filters, one a row, each in its one spelling.
CREATE TABLE ticket_fields (
  ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  key TEXT NOT NULL REFERENCES fields(key),
  value TEXT NOT NULL,
  PRIMARY KEY (ticket_id, key)
);
CREATE INDEX ticket_fields_by_value ON ticket_fields (key, value, ticket_id);
