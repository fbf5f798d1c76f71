DROP TABLE ticket_merges;
DROP TABLE ticket_links;
ALTER TABLE tickets DROP COLUMN merged_into_id;
ALTER TABLE tickets DROP COLUMN relations;
DROP TABLE search_documents;
