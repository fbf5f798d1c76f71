CREATE TABLE calendars (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  is_default BOOLEAN NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- Versions are never changed: a clock names the version it was laid over.
CREATE TABLE calendar_versions (
  calendar_id UUID NOT NULL REFERENCES calendars(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  definition JSONB NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (calendar_id, version)
);
CREATE TABLE organizations (
  id UUID PRIMARY KEY NOT NULL,
  account TEXT UNIQUE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE contacts (
  id UUID PRIMARY KEY NOT NULL,
  organization_id UUID REFERENCES organizations(id),
  name TEXT NOT NULL,
  time_zone TEXT,
  language TEXT NOT NULL,
  surveys_stopped_at BIGINT,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX contacts_by_organization ON contacts (organization_id, id);
CREATE TABLE contact_emails (
  address TEXT PRIMARY KEY NOT NULL,
  contact_id UUID NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL
);
CREATE INDEX contact_emails_by_contact ON contact_emails (contact_id, position);
CREATE TABLE contact_phones (
  number TEXT PRIMARY KEY NOT NULL,
  contact_id UUID NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL
);
CREATE INDEX contact_phones_by_contact ON contact_phones (contact_id, position);
CREATE TABLE agents (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('agent', 'manager', 'admin')),
  disabled_at BIGINT,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE teams (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  calendar_id UUID REFERENCES calendars(id),
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE team_members (
  team_id UUID NOT NULL REFERENCES teams(id) ON DELETE CASCADE,
  agent_id UUID NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
  PRIMARY KEY (team_id, agent_id)
);
CREATE TABLE tokens (
  id UUID PRIMARY KEY NOT NULL,
  agent_id UUID REFERENCES agents(id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  secret_hash BYTEA NOT NULL UNIQUE,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX tokens_by_agent ON tokens (agent_id);
-- The answer to a POST, kept for 24 h so that a retry gets it again.
CREATE TABLE idempotency_keys (
  token_id UUID NOT NULL,
  key TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  status INTEGER NOT NULL,
  etag TEXT,
  location TEXT,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (token_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
