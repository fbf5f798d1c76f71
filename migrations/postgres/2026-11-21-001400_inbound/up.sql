-- Addresses that people write to. The settings of IMAP hold the password, which no answer of the API shows.
CREATE TABLE mailboxes (
  id UUID PRIMARY KEY NOT NULL,
  address TEXT NOT NULL UNIQUE,
  team_id UUID REFERENCES teams(id),
  from_name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('imap', 'lmtp')),
  imap JSONB,
  is_active BOOLEAN NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX mailboxes_by_team ON mailboxes (team_id, id);
-- Who fetches from an IMAP mailbox until when, and how far they came.
CREATE TABLE mailbox_watches (
  mailbox_id UUID PRIMARY KEY NOT NULL REFERENCES mailboxes(id) ON DELETE CASCADE,
  lease_by UUID,
  lease_until BIGINT,
  uid_validity BIGINT,
  last_uid BIGINT,
  looked_at BIGINT,
  failing_since BIGINT,
  last_error TEXT
);
-- Every mail that was ever taken, and what it became.
CREATE TABLE inbound_mails (
  id UUID PRIMARY KEY NOT NULL,
  mailbox_id UUID NOT NULL REFERENCES mailboxes(id),
  envelope_from TEXT,
  envelope_to TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  size_bytes BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'filed', 'quarantined', 'discarded')),
  reason TEXT,
  attempts INTEGER NOT NULL,
  error TEXT,
  subject TEXT,
  sender TEXT,
  mail_message_id TEXT,
  ticket_id UUID REFERENCES tickets(id) ON DELETE SET NULL,
  message_id UUID,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  version INTEGER NOT NULL,
  UNIQUE (mailbox_id, sha256)
);
CREATE INDEX inbound_mails_by_state ON inbound_mails (state, created_at, id);
CREATE INDEX inbound_mails_by_age ON inbound_mails (created_at, id);
CREATE INDEX inbound_mails_by_ticket ON inbound_mails (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX inbound_mails_by_message ON inbound_mails (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX inbound_mails_by_mail_message_id ON inbound_mails (mail_message_id) WHERE mail_message_id IS NOT NULL;
-- As it came, byte by byte.
CREATE TABLE inbound_raws (
  mail_id UUID PRIMARY KEY NOT NULL REFERENCES inbound_mails(id) ON DELETE CASCADE,
  bytes BYTEA NOT NULL
);
-- Who may write on a ticket beside its contact: those who were in copy.
CREATE TABLE ticket_participants (
  ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (ticket_id, address)
);
-- The mail domains of an organization: who writes from there for the first time belongs to it.
CREATE TABLE organization_domains (
  domain TEXT PRIMARY KEY NOT NULL,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL
);
CREATE INDEX organization_domains_by_organization ON organization_domains (organization_id, domain);
-- What signs the addresses that answers and bounces come back to.
CREATE TABLE inbound_keys (
  id INTEGER PRIMARY KEY NOT NULL,
  secret BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
-- What became of a reply's letter after it was sent, as the ticket shows it beside the message.
ALTER TABLE messages ADD COLUMN bounce JSONB;
CREATE INDEX mails_by_survey_message_id ON mails (message_id) WHERE kind = 'survey';
