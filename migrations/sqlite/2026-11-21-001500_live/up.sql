-- What each agent last said, or the desk about them. changed_at is when the state began, updated_at when they last said it.
CREATE TABLE presence (
  agent_id BLOB PRIMARY KEY NOT NULL REFERENCES agents(id),
  state TEXT NOT NULL CHECK (state IN ('available', 'away', 'offline')),
  reason TEXT,
  chats_max INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- A node that holds streams of agents who are present, until its lease runs out.
CREATE TABLE presence_nodes (
  id BLOB PRIMARY KEY NOT NULL,
  lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE presence_lines (
  node_id BLOB NOT NULL REFERENCES presence_nodes(id) ON DELETE CASCADE,
  agent_id BLOB NOT NULL REFERENCES agents(id),
  PRIMARY KEY (node_id, agent_id)
) STRICT, WITHOUT ROWID;
-- One row: the alarm that the desk is open and nobody is available; raised_at is null while there is none.
CREATE TABLE staffing (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  raised_at INTEGER,
  told_at INTEGER,
  times INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by BLOB,
  version INTEGER NOT NULL
) STRICT;
INSERT INTO staffing (id, times, version) VALUES (1, 0, 1);
CREATE INDEX calls_waiting ON calls (at) WHERE ended_at IS NULL;
