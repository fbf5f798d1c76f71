-- 'transactional' asks about a close; 'relationship' about the company as a whole: never mixed.
ALTER TABLE survey_invitations ADD COLUMN kind TEXT NOT NULL DEFAULT 'transactional';
-- flags: what looks machine-made; such an answer is counted once a person has confirmed it.
-- next_score: the contact's next counted answer; a detractor with 7 or more here is recovered.
ALTER TABLE survey_responses ADD COLUMN flags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE survey_responses ADD COLUMN confirmation TEXT CHECK (confirmation IN ('unconfirmed', 'confirmed', 'rejected'));
ALTER TABLE survey_responses ADD COLUMN decided_at INTEGER;
ALTER TABLE survey_responses ADD COLUMN decided_by BLOB;
ALTER TABLE survey_responses ADD COLUMN is_counted INTEGER NOT NULL DEFAULT 1;
ALTER TABLE survey_responses ADD COLUMN next_score INTEGER;
CREATE INDEX survey_responses_unconfirmed ON survey_responses (id) WHERE confirmation = 'unconfirmed';
CREATE INDEX survey_reviews_by_due ON survey_reviews (state, due_at);
-- Reviews keep the names, so that a retired cause stays readable.
CREATE TABLE survey_causes (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  retired_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO survey_causes (id, name, version, created_at, updated_at) VALUES
  (x'01993a00000070008000000000000001', 'slow answer', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000002', 'not solved', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000003', 'recurring problem', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000004', 'repeated explanation', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000005', 'generic answer', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000006', 'wrong answer', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000007', 'unfriendly', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000008', 'outage', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000009', 'price', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000a', 'control panel', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000b', 'documentation', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000c', 'missing self-service', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000d', 'fast answer', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000e', 'solved at once', 1, 1757548800000000, 1757548800000000),
  (x'01993a0000007000800000000000000f', 'friendly agent', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000010', 'knowledge', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000011', 'ownership', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000012', 'no reason given', 1, 1757548800000000, 1757548800000000),
  (x'01993a00000070008000000000000013', 'other', 1, 1757548800000000, 1757548800000000);
-- Addresses that refuse our letters. Lifting keeps the row: the history of an address can be read.
CREATE TABLE survey_suppressions (
  id BLOB PRIMARY KEY NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,
  invitation_id BLOB,
  created_at INTEGER NOT NULL,
  lifted_at INTEGER,
  lifted_by BLOB REFERENCES agents(id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX survey_suppressions_in_force ON survey_suppressions (address) WHERE lifted_at IS NULL;
-- One at most: the second letter of an invitation, with tokens of its own.
CREATE TABLE survey_reminders (
  id BLOB PRIMARY KEY NOT NULL,
  invitation_id BLOB NOT NULL UNIQUE REFERENCES survey_invitations(id) ON DELETE CASCADE,
  due_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  outcome_at INTEGER NOT NULL,
  token_hash BLOB UNIQUE,
  unsubscribe_hash BLOB UNIQUE,
  sent_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE survey_followups (
  response_id BLOB PRIMARY KEY NOT NULL REFERENCES survey_responses(id) ON DELETE CASCADE,
  due_at INTEGER NOT NULL,
  owner_id BLOB REFERENCES agents(id),
  outcome TEXT CHECK (outcome IN ('resolved', 'contacted', 'no_reply', 'declined', 'not_needed')),
  why TEXT NOT NULL,
  ended_at INTEGER,
  ended_by BLOB REFERENCES agents(id),
  ticket_id BLOB UNIQUE REFERENCES tickets(id),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_followups_by_due ON survey_followups (due_at, response_id);
CREATE INDEX survey_followups_open ON survey_followups (due_at, response_id) WHERE outcome IS NULL;
CREATE INDEX survey_followups_by_owner ON survey_followups (owner_id, due_at, response_id);
CREATE TABLE survey_attempts (
  id BLOB PRIMARY KEY NOT NULL,
  response_id BLOB NOT NULL REFERENCES survey_followups(response_id) ON DELETE CASCADE,
  agent_id BLOB NOT NULL REFERENCES agents(id),
  at INTEGER NOT NULL,
  how TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_attempts_by_followup ON survey_attempts (response_id, at, id);
