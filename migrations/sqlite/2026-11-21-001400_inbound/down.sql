DROP INDEX mails_by_survey_message_id;
ALTER TABLE messages DROP COLUMN bounce;
DROP TABLE inbound_keys;
DROP TABLE organization_domains;
DROP TABLE ticket_participants;
DROP TABLE inbound_raws;
DROP TABLE inbound_mails;
DROP TABLE mailbox_watches;
DROP TABLE mailboxes;
