ALTER TABLE messages DROP COLUMN undone_at;
ALTER TABLE messages DROP COLUMN cc;
ALTER TABLE mailboxes DROP COLUMN dkim;
ALTER TABLE mailboxes DROP COLUMN smtp;
ALTER TABLE teams DROP COLUMN signature;
CREATE TABLE mails_anew (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('reply', 'survey')),
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
  sent_at INTEGER
) STRICT;
INSERT INTO mails_anew (id, kind, ticket_id, subject_id, recipient, subject, message_id, in_reply_to, reference_ids, text_body, html_body, state, attempts,
  last_error, created_at, sent_at)
SELECT id, kind, ticket_id, subject_id, recipient, subject, message_id, in_reply_to, reference_ids, text_body, html_body, state, attempts,
  last_error, created_at, sent_at
FROM mails
WHERE kind IN ('reply', 'survey');
DROP TABLE mails;
ALTER TABLE mails_anew RENAME TO mails;
CREATE INDEX mails_by_state ON mails (state, created_at, id);
CREATE INDEX mails_by_age ON mails (created_at, id);
CREATE INDEX mails_by_ticket ON mails (ticket_id, created_at);
CREATE INDEX mails_by_subject ON mails (subject_id);
CREATE INDEX mails_by_survey_message_id ON mails (message_id) WHERE kind = 'survey';
DROP TABLE survey_mail_answers;
