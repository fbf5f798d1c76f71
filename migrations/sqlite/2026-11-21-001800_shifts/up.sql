-- Addresses and numbers of an erased contact, until what others wrote was looked through for them.
CREATE TABLE erased_words (
  contact_id BLOB NOT NULL REFERENCES contacts(id),
  word TEXT NOT NULL,
  PRIMARY KEY (contact_id, word)
) STRICT, WITHOUT ROWID;
-- When a mail server reported that the letter of an invitation, or its reminder, did not arrive.
ALTER TABLE survey_invitations ADD COLUMN bounced_at INTEGER;
-- Letters to the staff, by where they stand, as pages list them.
CREATE INDEX alert_letters_in_order ON alert_letters (state, id);
-- The plan of who is on duty: an agent, for a team or for the desk, by weekly pattern.
CREATE TABLE shifts (
  id BLOB PRIMARY KEY NOT NULL,
  agent_id BLOB NOT NULL REFERENCES agents(id),
  team_id BLOB REFERENCES teams(id),
  from_on TEXT NOT NULL,
  to_on TEXT,
  weekly TEXT NOT NULL,
  note TEXT,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shifts_by_team ON shifts (team_id, id);
CREATE INDEX shifts_by_agent ON shifts (agent_id, id);
-- When each agent was available, for occupancy; ended_at is null while they are.
CREATE TABLE presence_spells (
  agent_id BLOB NOT NULL REFERENCES agents(id),
  began_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (agent_id, began_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_spells_by_end ON presence_spells (ended_at);
CREATE INDEX presence_spells_open ON presence_spells (agent_id) WHERE ended_at IS NULL;
INSERT INTO presence_spells (agent_id, began_at) SELECT agent_id, changed_at FROM presence WHERE state = 'available';
-- Which calendar counts can change as well as its hours.
ALTER TABLE clock_moves RENAME TO clock_moves_before;
DROP INDEX clock_moves_open;
CREATE TABLE clock_moves (
  id BLOB PRIMARY KEY NOT NULL,
  edited TEXT NOT NULL CHECK (edited IN ('policy', 'calendar', 'choice')),
  edited_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  cursor_at INTEGER,
  cursor_id BLOB,
  moved INTEGER NOT NULL,
  finished_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO clock_moves SELECT * FROM clock_moves_before;
DROP TABLE clock_moves_before;
CREATE INDEX clock_moves_open ON clock_moves (edited_id, version) WHERE finished_at IS NULL;
-- A team's list for one channel finds in the index which tickets came by it.
DROP INDEX tickets_by_team;
CREATE INDEX tickets_by_team ON tickets (team_id, status, promise_due_at, number, channel);
