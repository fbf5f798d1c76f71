-- A relationship survey asks about the company as a whole: about no ticket.
ALTER TABLE survey_invitations ALTER COLUMN ticket_id DROP NOT NULL;
ALTER TABLE mails ALTER COLUMN ticket_id DROP NOT NULL;
-- One wave a quarter; its terms, and when it was frozen.
CREATE TABLE survey_waves (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  quarter TEXT NOT NULL,
  from_on TEXT NOT NULL,
  to_on TEXT NOT NULL,
  cap_per_organization INTEGER,
  active_days INTEGER,
  sample_size INTEGER,
  state TEXT NOT NULL CHECK (state IN ('draft', 'freezing', 'running', 'stopped')),
  started_at INTEGER,
  frozen_at INTEGER,
  stopped_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX survey_waves_of_a_quarter ON survey_waves (quarter) WHERE state <> 'stopped';
-- The frozen sample: everybody who was considered, with the day of the letter or the reason for none.
CREATE TABLE survey_wave_contacts (
  wave_id BLOB NOT NULL REFERENCES survey_waves(id),
  contact_id BLOB NOT NULL REFERENCES contacts(id),
  organization_id BLOB,
  standing TEXT NOT NULL,
  send_on TEXT,
  PRIMARY KEY (wave_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX survey_wave_contacts_by_standing ON survey_wave_contacts (wave_id, standing, contact_id);
CREATE INDEX survey_wave_contacts_by_day ON survey_wave_contacts (wave_id, send_on, contact_id);
CREATE INDEX survey_wave_contacts_by_contact ON survey_wave_contacts (contact_id);
ALTER TABLE survey_invitations ADD COLUMN wave_id BLOB REFERENCES survey_waves(id);
CREATE UNIQUE INDEX survey_invitations_by_wave ON survey_invitations (wave_id, contact_id) WHERE wave_id IS NOT NULL;
-- Contacts whose data was erased: when and by whom; then the files whose bytes still have to go.
CREATE TABLE contact_erasures (
  contact_id BLOB PRIMARY KEY NOT NULL REFERENCES contacts(id),
  erased_at INTEGER NOT NULL,
  erased_by BLOB NOT NULL REFERENCES agents(id)
) STRICT, WITHOUT ROWID;
CREATE TABLE erased_files (
  attachment_id BLOB PRIMARY KEY NOT NULL,
  contact_id BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erased_files_by_contact ON erased_files (contact_id);
