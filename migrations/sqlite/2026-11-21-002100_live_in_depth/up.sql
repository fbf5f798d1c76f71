-- That nobody is there while somebody has to be: one row an alarm, of the desk or of a team with hours of its own.
CREATE TABLE staffing_alarms (
  id BLOB PRIMARY KEY NOT NULL,
  team_id BLOB REFERENCES teams(id),
  raised_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL,
  times INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by BLOB REFERENCES agents(id),
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX staffing_alarms_open ON staffing_alarms (COALESCE(team_id, x'00')) WHERE ended_at IS NULL;
CREATE INDEX staffing_alarms_by_time ON staffing_alarms (raised_at, id);
CREATE INDEX staffing_alarms_by_team ON staffing_alarms (team_id, raised_at, id);
INSERT INTO staffing_alarms (id, raised_at, told_at, times, acknowledged_at, acknowledged_by)
  SELECT randomblob(16), raised_at, COALESCE(told_at, raised_at), times, acknowledged_at, acknowledged_by FROM staffing WHERE raised_at IS NOT NULL;
DROP TABLE staffing;
-- Who types in a chat whose other side is on another node; forgotten within a minute.
CREATE TABLE chat_typing (
  chat_id BLOB NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('visitor', 'agent')),
  at INTEGER NOT NULL,
  PRIMARY KEY (chat_id, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_typing_by_time ON chat_typing (at);
