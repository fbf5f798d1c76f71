DROP INDEX calls_waiting;
DROP TABLE staffing;
DROP TABLE presence_lines;
DROP TABLE presence_nodes;
DROP TABLE presence;
DELETE FROM events WHERE kind IN ('presence_changed', 'staffing_alarm', 'staffing_acknowledged', 'staffing_restored');
