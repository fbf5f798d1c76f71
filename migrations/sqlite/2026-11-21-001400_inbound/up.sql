-- Addresses that people write to. The settings of IMAP hold the password, which no answer of the API shows.
CREATE TABLE mailboxes (
  id BLOB PRIMARY KEY NOT NULL,
  address TEXT NOT NULL UNIQUE,
  team_id BLOB REFERENCES teams(id),
  from_name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('imap', 'lmtp')),
  imap TEXT,
  is_active INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX mailboxes_by_team ON mailboxes (team_id, id);
-- Who fetches from an IMAP mailbox until when, and how far they came.
CREATE TABLE mailbox_watches (
  mailbox_id BLOB PRIMARY KEY NOT NULL REFERENCES mailboxes(id) ON DELETE CASCADE,
  lease_by BLOB,
  lease_until INTEGER,
  uid_validity INTEGER,
  last_uid INTEGER,
  looked_at INTEGER,
  failing_since INTEGER,
  last_error TEXT
) STRICT;
-- Every mail that was ever taken, and what it became.
CREATE TABLE inbound_mails (
  id BLOB PRIMARY KEY NOT NULL,
  mailbox_id BLOB NOT NULL REFERENCES mailboxes(id),
  envelope_from TEXT,
  envelope_to TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  size_bytes INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'filed', 'quarantined', 'discarded')),
  reason TEXT,
  attempts INTEGER NOT NULL,
  error TEXT,
  subject TEXT,
  sender TEXT,
  mail_message_id TEXT,
  ticket_id BLOB REFERENCES tickets(id) ON DELETE SET NULL,
  message_id BLOB,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  version INTEGER NOT NULL,
  UNIQUE (mailbox_id, sha256)
) STRICT;
CREATE INDEX inbound_mails_by_state ON inbound_mails (state, created_at, id);
CREATE INDEX inbound_mails_by_age ON inbound_mails (created_at, id);
CREATE INDEX inbound_mails_by_ticket ON inbound_mails (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX inbound_mails_by_message ON inbound_mails (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX inbound_mails_by_mail_message_id ON inbound_mails (mail_message_id) WHERE mail_message_id IS NOT NULL;
-- As it came, byte by byte.
CREATE TABLE inbound_raws (
  mail_id BLOB PRIMARY KEY NOT NULL REFERENCES inbound_mails(id) ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;
-- Who may write on a ticket beside its contact: those who were in copy.
CREATE TABLE ticket_participants (
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (ticket_id, address)
) STRICT, WITHOUT ROWID;
-- The mail domains of an organization: who writes from there for the first time belongs to it.
CREATE TABLE organization_domains (
  domain TEXT PRIMARY KEY NOT NULL,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX organization_domains_by_organization ON organization_domains (organization_id, domain);
-- What signs the addresses that answers and bounces come back to.
CREATE TABLE inbound_keys (
  id INTEGER PRIMARY KEY NOT NULL,
  secret BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- What became of a reply's letter after it was sent, as the ticket shows it beside the message.
ALTER TABLE messages ADD COLUMN bounce TEXT;
CREATE INDEX mails_by_survey_message_id ON mails (message_id) WHERE kind = 'survey';
