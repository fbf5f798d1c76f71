-- Who asked, by a signed id that their browser keeps; the contact is known once they asked.
CREATE TABLE chat_visitors (
  id BLOB PRIMARY KEY NOT NULL,
  contact_id BLOB REFERENCES contacts(id),
  blocked_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_visitors_by_contact ON chat_visitors (contact_id);
-- A conversation. line is the visitor's connection of last, gone_at when it ended; next_at is when the desk has to look again.
CREATE TABLE chats (
  id BLOB PRIMARY KEY NOT NULL,
  visitor_id BLOB NOT NULL,
  origin TEXT NOT NULL,
  is_verified INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'missed', 'abandoned', 'left', 'ended')),
  team_id BLOB REFERENCES teams(id),
  contact_id BLOB NOT NULL REFERENCES contacts(id),
  ticket_id BLOB NOT NULL,
  pickup_clock_id BLOB,
  agent_id BLOB REFERENCES agents(id),
  last_seq INTEGER NOT NULL,
  round INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  accepted_at INTEGER,
  ended_at INTEGER,
  ended_by TEXT,
  line BLOB,
  gone_at INTEGER,
  active_at INTEGER NOT NULL,
  next_at INTEGER
) STRICT;
CREATE INDEX chats_by_time ON chats (asked_at, id);
CREATE INDEX chats_by_state ON chats (state, asked_at, id);
CREATE INDEX chats_by_agent ON chats (agent_id, asked_at, id);
CREATE INDEX chats_by_visitor ON chats (visitor_id, asked_at);
CREATE INDEX chats_by_ticket ON chats (ticket_id);
CREATE INDEX chats_by_next ON chats (next_at) WHERE next_at IS NOT NULL;
CREATE UNIQUE INDEX chats_open ON chats (visitor_id) WHERE state IN ('waiting', 'active');
-- Who was asked to take a chat, when, and what came of it.
CREATE TABLE chat_offers (
  id BLOB PRIMARY KEY NOT NULL,
  chat_id BLOB NOT NULL REFERENCES chats(id),
  agent_id BLOB NOT NULL REFERENCES agents(id),
  round INTEGER NOT NULL,
  offered_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT
) STRICT;
CREATE UNIQUE INDEX chat_offers_open ON chat_offers (chat_id, agent_id) WHERE ended_at IS NULL;
CREATE INDEX chat_offers_by_chat ON chat_offers (chat_id, offered_at, id);
-- The place of a ticket's message in its conversation; what was said is in messages alone.
CREATE TABLE chat_messages (
  chat_id BLOB NOT NULL REFERENCES chats(id),
  seq INTEGER NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('visitor', 'agent')),
  client_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  PRIMARY KEY (chat_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chat_messages_once ON chat_messages (chat_id, side, client_id);
