DROP TABLE ticket_merges;
DROP TABLE ticket_links;
ALTER TABLE tickets DROP COLUMN merged_into_id;
ALTER TABLE tickets DROP COLUMN relations;
DROP TABLE search_documents;
-- The module leaves this one behind.
DROP TABLE IF EXISTS search_documents_content;
