-- The words of each ticket's subject with each of its messages; the row's number says which ticket and in which order.
-- The words are told apart and folded by the desk itself (src/tickets/search/words.rs), whatever the database's locale.
CREATE TABLE search_documents (
  id BIGINT PRIMARY KEY NOT NULL,
  message_id UUID,
  words TSVECTOR NOT NULL
);
-- What was written lately waits in a list that every search reads through: it must stay short.
CREATE INDEX search_documents_by_words ON search_documents USING gin (words) WITH (gin_pending_list_limit = 512);
-- 1: has links; 2: others were merged into it. So that a ticket without either is read without looking for them.
ALTER TABLE tickets ADD COLUMN relations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN merged_into_id UUID;
CREATE TABLE ticket_links (
  ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  other_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('related', 'caused_by', 'duplicate', 'follow_up')),
  agent_id UUID REFERENCES agents(id),
  at BIGINT NOT NULL,
  PRIMARY KEY (ticket_id, other_id)
);
CREATE INDEX ticket_links_by_other ON ticket_links (other_id, ticket_id);
-- Merges in force; what was undone is in the history. `was` is what undoing needs.
CREATE TABLE ticket_merges (
  ticket_id UUID PRIMARY KEY NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  into_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  agent_id UUID REFERENCES agents(id),
  at BIGINT NOT NULL,
  was JSONB NOT NULL
);
CREATE INDEX ticket_merges_by_into ON ticket_merges (into_id, ticket_id);
