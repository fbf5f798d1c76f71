-- What each agent last said, or the desk about them. changed_at is when the state began, updated_at when they last said it.
CREATE TABLE presence (
  agent_id UUID PRIMARY KEY NOT NULL REFERENCES agents(id),
  state TEXT NOT NULL CHECK (state IN ('available', 'away', 'offline')),
  reason TEXT,
  chats_max INTEGER NOT NULL,
  changed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- A node that holds streams of agents who are present, until its lease runs out.
CREATE TABLE presence_nodes (
  id UUID PRIMARY KEY NOT NULL,
  lease_until BIGINT NOT NULL
);
CREATE TABLE presence_lines (
  node_id UUID NOT NULL REFERENCES presence_nodes(id) ON DELETE CASCADE,
  agent_id UUID NOT NULL REFERENCES agents(id),
  PRIMARY KEY (node_id, agent_id)
);
-- One row: the alarm that the desk is open and nobody is available; raised_at is null while there is none.
CREATE TABLE staffing (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  raised_at BIGINT,
  told_at BIGINT,
  times INTEGER NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by UUID,
  version INTEGER NOT NULL
);
INSERT INTO staffing (id, times, version) VALUES (1, 0, 1);
CREATE INDEX calls_waiting ON calls (at) WHERE ended_at IS NULL;
