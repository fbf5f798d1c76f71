DROP TABLE digest_letters;
DROP TABLE digests;
DROP INDEX survey_invitations_by_closed;
DROP INDEX clocks_by_reopening;
