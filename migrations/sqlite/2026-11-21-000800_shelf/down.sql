DROP TABLE ticket_fields;
ALTER TABLE tickets DROP COLUMN fields;
DROP TABLE fields;
DROP TABLE saved_views;
DROP TABLE canned_replies;
DROP TABLE attachments;
ALTER TABLE messages DROP COLUMN attachments;
