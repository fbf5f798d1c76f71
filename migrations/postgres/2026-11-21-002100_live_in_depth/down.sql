DROP TABLE chat_typing;
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
DROP TABLE staffing_alarms;
