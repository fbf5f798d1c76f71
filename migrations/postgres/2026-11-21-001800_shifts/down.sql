DROP TABLE presence_spells;
DROP TABLE shifts;
DROP INDEX alert_letters_by_state;
ALTER TABLE survey_invitations DROP COLUMN bounced_at;
DROP TABLE erased_words;
