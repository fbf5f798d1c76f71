-- channel to agent_ids are the snapshot at close: whose work is asked about.
CREATE TABLE survey_invitations (
  id UUID PRIMARY KEY NOT NULL,
  ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  close_number INTEGER NOT NULL,
  contact_id UUID NOT NULL REFERENCES contacts(id),
  closed_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  outcome_at BIGINT NOT NULL,
  token_hash BYTEA UNIQUE,
  unsubscribe_hash BYTEA UNIQUE,
  sent_at BIGINT,
  expires_at BIGINT,
  is_answered BOOLEAN NOT NULL,
  channel TEXT NOT NULL,
  priority TEXT NOT NULL,
  team_id UUID,
  assignee_id UUID,
  organization_id UUID,
  agent_ids JSONB NOT NULL,
  UNIQUE (ticket_id, close_number)
);
CREATE INDEX survey_invitations_by_contact ON survey_invitations (contact_id, closed_at);
CREATE INDEX survey_invitations_by_sent ON survey_invitations (sent_at);
CREATE TABLE survey_responses (
  id UUID PRIMARY KEY NOT NULL,
  invitation_id UUID NOT NULL UNIQUE REFERENCES survey_invitations(id) ON DELETE CASCADE,
  score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 10),
  comment TEXT NOT NULL,
  answered_at BIGINT NOT NULL,
  edited_at BIGINT,
  revision INTEGER NOT NULL
);
CREATE INDEX survey_responses_by_time ON survey_responses (answered_at, id);
-- What the answer said before each edit.
CREATE TABLE survey_revisions (
  response_id UUID NOT NULL REFERENCES survey_responses(id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  score INTEGER NOT NULL,
  comment TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (response_id, revision)
);
CREATE TABLE survey_reviews (
  response_id UUID PRIMARY KEY NOT NULL REFERENCES survey_responses(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('new', 'in_review', 'reviewed')),
  rank INTEGER NOT NULL,
  due_at BIGINT,
  agent_id UUID REFERENCES agents(id),
  claimed_at BIGINT,
  reviewed_at BIGINT,
  causes JSONB NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX survey_reviews_by_state ON survey_reviews (state, rank, response_id);
