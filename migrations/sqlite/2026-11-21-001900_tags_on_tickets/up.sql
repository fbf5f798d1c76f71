-- A ticket's row repeats its tags, in alphabetical order, as it repeats its promises: lists and tickets need no look at ticket_tags.
ALTER TABLE tickets ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
UPDATE tickets
SET tags = (SELECT json_group_array(tag ORDER BY tag) FROM ticket_tags WHERE ticket_tags.ticket_id = tickets.id)
WHERE id IN (SELECT ticket_id FROM ticket_tags);
