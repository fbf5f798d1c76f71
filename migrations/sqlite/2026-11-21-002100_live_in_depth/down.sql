DROP TABLE chat_typing;
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
DROP TABLE staffing_alarms;
