-- What people answered to a survey's letter by mail: no figure counts it before a person has confirmed it.
CREATE TABLE survey_mail_answers (
  id BLOB PRIMARY KEY NOT NULL,
  invitation_id BLOB NOT NULL REFERENCES survey_invitations(id) ON DELETE CASCADE,
  mail_id BLOB NOT NULL UNIQUE,
  message_id BLOB,
  sender TEXT NOT NULL,
  body TEXT NOT NULL,
  score INTEGER CHECK (score BETWEEN 0 AND 10),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'confirmed', 'dismissed')),
  received_at INTEGER NOT NULL,
  due_at INTEGER,
  decided_at INTEGER,
  decided_by BLOB REFERENCES agents(id),
  response_id BLOB,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_mail_answers_by_state ON survey_mail_answers (state, id);
CREATE INDEX survey_mail_answers_by_invitation ON survey_mail_answers (invitation_id);
-- Two more kinds of letters: 'acknowledgement' tells who wrote that it came, 'notice' tells admins. cc: who has a copy.
CREATE TABLE mails_anew (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('reply', 'survey', 'acknowledgement', 'notice')),
  ticket_id BLOB REFERENCES tickets(id) ON DELETE CASCADE,
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
  sent_at INTEGER,
  cc TEXT
) STRICT;
INSERT INTO mails_anew (id, kind, ticket_id, subject_id, recipient, subject, message_id, in_reply_to, reference_ids, text_body, html_body, state, attempts,
  last_error, created_at, sent_at)
SELECT id, kind, ticket_id, subject_id, recipient, subject, message_id, in_reply_to, reference_ids, text_body, html_body, state, attempts,
  last_error, created_at, sent_at
FROM mails;
DROP TABLE mails;
ALTER TABLE mails_anew RENAME TO mails;
CREATE INDEX mails_by_state ON mails (state, created_at, id);
CREATE INDEX mails_by_age ON mails (created_at, id);
CREATE INDEX mails_by_ticket ON mails (ticket_id, created_at);
CREATE INDEX mails_by_subject ON mails (subject_id);
CREATE INDEX mails_by_survey_message_id ON mails (message_id) WHERE kind = 'survey';
CREATE INDEX mails_acknowledgements ON mails (recipient, created_at) WHERE kind = 'acknowledgement';
CREATE INDEX mails_notices ON mails (created_at) WHERE kind = 'notice';
-- Under every reply of the team.
ALTER TABLE teams ADD COLUMN signature TEXT NOT NULL DEFAULT '';
-- How letters of this mailbox go out, where not as the settings say. The password and the key are shown by no answer of the API.
ALTER TABLE mailboxes ADD COLUMN smtp TEXT;
ALTER TABLE mailboxes ADD COLUMN dkim TEXT;
-- Who had a copy of a reply, and since when it is taken back.
ALTER TABLE messages ADD COLUMN cc TEXT;
ALTER TABLE messages ADD COLUMN undone_at INTEGER;
