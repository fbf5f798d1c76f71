DROP TABLE presence_spells;
DROP TABLE shifts;
DROP INDEX alert_letters_in_order;
ALTER TABLE survey_invitations DROP COLUMN bounced_at;
DROP TABLE erased_words;
