DROP TABLE survey_mail_answers;
