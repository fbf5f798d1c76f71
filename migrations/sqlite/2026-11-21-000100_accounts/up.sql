CREATE TABLE calendars (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  is_default INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Versions are never changed: a clock names the version it was laid over.
CREATE TABLE calendar_versions (
  calendar_id BLOB NOT NULL REFERENCES calendars(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (calendar_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE organizations (
  id BLOB PRIMARY KEY NOT NULL,
  account TEXT UNIQUE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contacts (
  id BLOB PRIMARY KEY NOT NULL,
  organization_id BLOB REFERENCES organizations(id),
  name TEXT NOT NULL,
  time_zone TEXT,
  language TEXT NOT NULL,
  surveys_stopped_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_organization ON contacts (organization_id, id);
CREATE TABLE contact_emails (
  address TEXT PRIMARY KEY NOT NULL,
  contact_id BLOB NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_emails_by_contact ON contact_emails (contact_id, position);
CREATE TABLE contact_phones (
  number TEXT PRIMARY KEY NOT NULL,
  contact_id BLOB NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_phones_by_contact ON contact_phones (contact_id, position);
CREATE TABLE agents (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('agent', 'manager', 'admin')),
  disabled_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE teams (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  calendar_id BLOB REFERENCES calendars(id),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE team_members (
  team_id BLOB NOT NULL REFERENCES teams(id) ON DELETE CASCADE,
  agent_id BLOB NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
  PRIMARY KEY (team_id, agent_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
  id BLOB PRIMARY KEY NOT NULL,
  agent_id BLOB REFERENCES agents(id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  secret_hash BLOB NOT NULL UNIQUE,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_agent ON tokens (agent_id);
-- The answer to a POST, kept for 24 h so that a retry gets it again.
CREATE TABLE idempotency_keys (
  token_id BLOB NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL,
  etag TEXT,
  location TEXT,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (token_id, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
