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
