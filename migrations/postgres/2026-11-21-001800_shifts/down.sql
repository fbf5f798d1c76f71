DELETE FROM clock_moves WHERE edited = 'choice';
ALTER TABLE clock_moves DROP CONSTRAINT clock_moves_edited_check;
ALTER TABLE clock_moves RENAME COLUMN edited TO because;
ALTER TABLE clock_moves ADD CONSTRAINT clock_moves_because_check CHECK (because IN ('policy', 'calendar'));
DROP TABLE presence_spells;
DROP TABLE shifts;
DROP INDEX alert_letters_in_order;
ALTER TABLE survey_invitations DROP COLUMN bounced_at;
DROP TABLE erased_words;
