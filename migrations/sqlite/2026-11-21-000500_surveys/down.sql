DROP TABLE survey_reviews;
DROP TABLE survey_revisions;
DROP TABLE survey_responses;
DROP TABLE survey_invitations;
