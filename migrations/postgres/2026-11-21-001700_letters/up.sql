-- What people answered to a survey's letter by mail: no figure counts it before a person has confirmed it.
CREATE TABLE survey_mail_answers (
  id UUID PRIMARY KEY NOT NULL,
  invitation_id UUID NOT NULL REFERENCES survey_invitations(id) ON DELETE CASCADE,
  mail_id UUID NOT NULL UNIQUE,
  message_id UUID,
  sender TEXT NOT NULL,
  body TEXT NOT NULL,
  score INTEGER CHECK (score BETWEEN 0 AND 10),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'confirmed', 'dismissed')),
  received_at BIGINT NOT NULL,
  due_at BIGINT,
  decided_at BIGINT,
  decided_by UUID REFERENCES agents(id),
  response_id UUID,
  created_at BIGINT NOT NULL
);
CREATE INDEX survey_mail_answers_by_state ON survey_mail_answers (state, id);
CREATE INDEX survey_mail_answers_by_invitation ON survey_mail_answers (invitation_id);
-- Two more kinds of letters: 'acknowledgement' tells who wrote that it came, 'notice' tells admins. cc: who has a copy.
ALTER TABLE mails DROP CONSTRAINT mails_kind_check;
ALTER TABLE mails ADD CONSTRAINT mails_kind_check CHECK (kind IN ('reply', 'survey', 'acknowledgement', 'notice'));
ALTER TABLE mails ADD COLUMN cc JSONB;
CREATE INDEX mails_acknowledgements ON mails (recipient, created_at) WHERE kind = 'acknowledgement';
CREATE INDEX mails_notices ON mails (created_at) WHERE kind = 'notice';
-- Under every reply of the team.
ALTER TABLE teams ADD COLUMN signature TEXT NOT NULL DEFAULT '';
-- How letters of this mailbox go out, where not as the settings say. The password and the key are shown by no answer of the API.
ALTER TABLE mailboxes ADD COLUMN smtp JSONB;
ALTER TABLE mailboxes ADD COLUMN dkim JSONB;
-- Who had a copy of a reply, and since when it is taken back.
ALTER TABLE messages ADD COLUMN cc JSONB;
ALTER TABLE messages ADD COLUMN undone_at BIGINT;
