-- Addresses and numbers of an erased contact, until what others wrote was looked through for them.
CREATE TABLE erased_words (
  contact_id UUID NOT NULL REFERENCES contacts(id),
  word TEXT NOT NULL,
  PRIMARY KEY (contact_id, word)
);
-- When a mail server reported that the letter of an invitation, or its reminder, did not arrive.
ALTER TABLE survey_invitations ADD COLUMN bounced_at BIGINT;
-- Letters to the staff, by where they stand, as pages list them.
CREATE INDEX alert_letters_in_order ON alert_letters (state, id);
-- The plan of who is on duty: an agent, for a team or for the desk, by weekly pattern.
CREATE TABLE shifts (
  id UUID PRIMARY KEY NOT NULL,
  agent_id UUID NOT NULL REFERENCES agents(id),
  team_id UUID REFERENCES teams(id),
  from_on TEXT NOT NULL,
  to_on TEXT,
  weekly JSONB NOT NULL,
  note TEXT,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX shifts_by_team ON shifts (team_id, id);
CREATE INDEX shifts_by_agent ON shifts (agent_id, id);
-- When each agent was available, for occupancy; ended_at is null while they are.
CREATE TABLE presence_spells (
  agent_id UUID NOT NULL REFERENCES agents(id),
  began_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (agent_id, began_at)
);
CREATE INDEX presence_spells_by_end ON presence_spells (ended_at);
CREATE INDEX presence_spells_open ON presence_spells (agent_id) WHERE ended_at IS NULL;
INSERT INTO presence_spells (agent_id, began_at) SELECT agent_id, changed_at FROM presence WHERE state = 'available';
-- Which calendar counts can change as well as its hours.
ALTER TABLE clock_moves DROP CONSTRAINT clock_moves_because_check;
ALTER TABLE clock_moves RENAME COLUMN because TO edited;
ALTER TABLE clock_moves ADD CONSTRAINT clock_moves_edited_check CHECK (edited IN ('policy', 'calendar', 'choice'));
-- A team's list for one channel finds in the index which tickets came by it.
DROP INDEX tickets_by_team;
CREATE INDEX tickets_by_team ON tickets (team_id, status, promise_due_at, number, channel);
