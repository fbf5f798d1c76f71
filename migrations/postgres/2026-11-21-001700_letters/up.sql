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
