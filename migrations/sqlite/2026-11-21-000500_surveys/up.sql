-- channel to agent_ids are the snapshot at close: whose work is asked about.
CREATE TABLE survey_invitations (
  id BLOB PRIMARY KEY NOT NULL,
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  close_number INTEGER NOT NULL,
  contact_id BLOB NOT NULL REFERENCES contacts(id),
  closed_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  outcome_at INTEGER NOT NULL,
  token_hash BLOB UNIQUE,
  unsubscribe_hash BLOB UNIQUE,
  sent_at INTEGER,
  expires_at INTEGER,
  is_answered INTEGER NOT NULL,
  channel TEXT NOT NULL,
  priority TEXT NOT NULL,
  team_id BLOB,
  assignee_id BLOB,
  organization_id BLOB,
  agent_ids TEXT NOT NULL,
  UNIQUE (ticket_id, close_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_invitations_by_contact ON survey_invitations (contact_id, closed_at);
CREATE INDEX survey_invitations_by_sent ON survey_invitations (sent_at);
CREATE TABLE survey_responses (
  id BLOB PRIMARY KEY NOT NULL,
  invitation_id BLOB NOT NULL UNIQUE REFERENCES survey_invitations(id) ON DELETE CASCADE,
  score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 10),
  comment TEXT NOT NULL,
  answered_at INTEGER NOT NULL,
  edited_at INTEGER,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_responses_by_time ON survey_responses (answered_at, id);
-- What the answer said before each edit.
CREATE TABLE survey_revisions (
  response_id BLOB NOT NULL REFERENCES survey_responses(id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  score INTEGER NOT NULL,
  comment TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (response_id, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE survey_reviews (
  response_id BLOB PRIMARY KEY NOT NULL REFERENCES survey_responses(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('new', 'in_review', 'reviewed')),
  rank INTEGER NOT NULL,
  due_at INTEGER,
  agent_id BLOB REFERENCES agents(id),
  claimed_at INTEGER,
  reviewed_at INTEGER,
  causes TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_reviews_by_state ON survey_reviews (state, rank, response_id);
