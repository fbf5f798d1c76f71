-- Who asked, by a signed id that their browser keeps; the contact is known once they asked.
CREATE TABLE chat_visitors (
  id UUID PRIMARY KEY NOT NULL,
  contact_id UUID REFERENCES contacts(id),
  blocked_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX chat_visitors_by_contact ON chat_visitors (contact_id);
-- A conversation. line is the visitor's connection of last, gone_at when it ended; next_at is when the desk has to look again.
CREATE TABLE chats (
  id UUID PRIMARY KEY NOT NULL,
  visitor_id UUID NOT NULL,
  origin TEXT NOT NULL,
  is_verified BOOLEAN NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'missed', 'abandoned', 'left', 'ended')),
  team_id UUID REFERENCES teams(id),
  contact_id UUID NOT NULL REFERENCES contacts(id),
  ticket_id UUID NOT NULL,
  pickup_clock_id UUID,
  agent_id UUID REFERENCES agents(id),
  last_seq INTEGER NOT NULL,
  round INTEGER NOT NULL,
  asked_at BIGINT NOT NULL,
  accepted_at BIGINT,
  ended_at BIGINT,
  ended_by TEXT,
  line UUID,
  gone_at BIGINT,
  active_at BIGINT NOT NULL,
  next_at BIGINT
);
CREATE INDEX chats_by_time ON chats (asked_at, id);
CREATE INDEX chats_by_state ON chats (state, asked_at, id);
CREATE INDEX chats_by_agent ON chats (agent_id, asked_at, id);
CREATE INDEX chats_by_visitor ON chats (visitor_id, asked_at);
CREATE INDEX chats_by_ticket ON chats (ticket_id);
CREATE INDEX chats_by_next ON chats (next_at) WHERE next_at IS NOT NULL;
CREATE UNIQUE INDEX chats_open ON chats (visitor_id) WHERE state IN ('waiting', 'active');
-- Who was asked to take a chat, when, and what came of it.
CREATE TABLE chat_offers (
  id UUID PRIMARY KEY NOT NULL,
  chat_id UUID NOT NULL REFERENCES chats(id),
  agent_id UUID NOT NULL REFERENCES agents(id),
  round INTEGER NOT NULL,
  offered_at BIGINT NOT NULL,
  ended_at BIGINT,
  outcome TEXT
);
CREATE UNIQUE INDEX chat_offers_open ON chat_offers (chat_id, agent_id) WHERE ended_at IS NULL;
CREATE INDEX chat_offers_by_chat ON chat_offers (chat_id, offered_at, id);
-- The place of a ticket's message in its conversation; what was said is in messages alone.
CREATE TABLE chat_messages (
  chat_id UUID NOT NULL REFERENCES chats(id),
  seq INTEGER NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('visitor', 'agent')),
  client_id UUID NOT NULL,
  message_id UUID NOT NULL,
  PRIMARY KEY (chat_id, seq)
);
CREATE UNIQUE INDEX chat_messages_once ON chat_messages (chat_id, side, client_id);
