-- Resolutions of reopened tickets: few, and every SLA report asks for them to tell first and last apart.
CREATE INDEX clocks_by_reopening ON clocks (started_at) WHERE metric = 'resolution' AND cycle > 1;
CREATE INDEX survey_invitations_by_closed ON survey_invitations (closed_at);
-- One row a week that a digest was written about: the key is what makes it once, on however many nodes.
CREATE TABLE digests (
  week_on TEXT PRIMARY KEY NOT NULL,
  time_zone TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  written_at BIGINT NOT NULL
);
CREATE TABLE digest_letters (
  id UUID PRIMARY KEY NOT NULL,
  week_on TEXT NOT NULL REFERENCES digests(week_on) ON DELETE CASCADE,
  agent_id UUID NOT NULL REFERENCES agents(id),
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  message_id TEXT NOT NULL,
  text_body TEXT NOT NULL,
  html_body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'parked')),
  attempts INTEGER NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  sent_at BIGINT,
  UNIQUE (week_on, agent_id)
);
