-- That nobody is there while somebody has to be: one row an alarm, of the desk or of a team with hours of its own.
CREATE TABLE staffing_alarms (
  id UUID PRIMARY KEY NOT NULL,
  team_id UUID REFERENCES teams(id),
  raised_at BIGINT NOT NULL,
  told_at BIGINT NOT NULL,
  times INTEGER NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by UUID REFERENCES agents(id),
  ended_at BIGINT
);
CREATE UNIQUE INDEX staffing_alarms_open ON staffing_alarms (COALESCE(team_id, '00000000-0000-0000-0000-000000000000')) WHERE ended_at IS NULL;
CREATE INDEX staffing_alarms_by_time ON staffing_alarms (raised_at, id);
CREATE INDEX staffing_alarms_by_team ON staffing_alarms (team_id, raised_at, id);
INSERT INTO staffing_alarms (id, raised_at, told_at, times, acknowledged_at, acknowledged_by)
  SELECT gen_random_uuid(), raised_at, COALESCE(told_at, raised_at), times, acknowledged_at, acknowledged_by FROM staffing WHERE raised_at IS NOT NULL;
DROP TABLE staffing;
-- Who types in a chat whose other side is on another node; forgotten within a minute, and no loss where the server falls.
CREATE UNLOGGED TABLE chat_typing (
  chat_id UUID NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('visitor', 'agent')),
  at BIGINT NOT NULL,
  PRIMARY KEY (chat_id, side)
);
CREATE INDEX chat_typing_by_time ON chat_typing (at);
