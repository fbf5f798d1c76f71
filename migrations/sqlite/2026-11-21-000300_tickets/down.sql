DROP TABLE events;
DROP TABLE clocks;
DROP TABLE messages;
DROP TABLE ticket_tags;
DROP TABLE tickets;
