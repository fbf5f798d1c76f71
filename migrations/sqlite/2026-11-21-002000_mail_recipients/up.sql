-- Recipients of a letter that it is not sent to any more, where a mail server took it for some alone: they have it, or it was refused
-- for them for good.
ALTER TABLE mails ADD COLUMN settled TEXT;
