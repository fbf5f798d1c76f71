-- The words of each ticket's subject with each of its messages; the row's number says which ticket and in which order.
-- The words are told apart, folded and joined by the desk itself (src/tickets/search/words.rs), so the plainest tokenizer is right.
CREATE VIRTUAL TABLE search_documents USING fts5(
  subject, body, message_id UNINDEXED,
  content='', contentless_delete=1, contentless_unindexed=1, tokenize='ascii'
);
-- 1: has links; 2: others were merged into it. So that a ticket without either is read without looking for them.
ALTER TABLE tickets ADD COLUMN relations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN merged_into_id BLOB;
CREATE TABLE ticket_links (
  ticket_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  other_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('related', 'caused_by', 'duplicate', 'follow_up')),
  agent_id BLOB REFERENCES agents(id),
  at INTEGER NOT NULL,
  PRIMARY KEY (ticket_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_links_by_other ON ticket_links (other_id, ticket_id);
-- Merges in force; what was undone is in the history. `was` is what undoing needs.
CREATE TABLE ticket_merges (
  ticket_id BLOB PRIMARY KEY NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  into_id BLOB NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  agent_id BLOB REFERENCES agents(id),
  at INTEGER NOT NULL,
  was TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_merges_by_into ON ticket_merges (into_id, ticket_id);
