DROP INDEX tickets_by_team;
CREATE INDEX tickets_by_team ON tickets (team_id, status, promise_due_at);
ALTER TABLE clock_moves RENAME TO clock_moves_before;
DROP INDEX clock_moves_open;
CREATE TABLE clock_moves (
  id BLOB PRIMARY KEY NOT NULL,
  because TEXT NOT NULL CHECK (because IN ('policy', 'calendar')),
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
INSERT INTO clock_moves SELECT * FROM clock_moves_before WHERE edited <> 'choice';
DROP TABLE clock_moves_before;
CREATE INDEX clock_moves_open ON clock_moves (edited_id, version) WHERE finished_at IS NULL;
DROP TABLE presence_spells;
DROP TABLE shifts;
DROP INDEX alert_letters_in_order;
ALTER TABLE survey_invitations DROP COLUMN bounced_at;
DROP TABLE erased_words;
