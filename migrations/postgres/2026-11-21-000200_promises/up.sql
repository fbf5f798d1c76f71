CREATE TABLE policies (
  id UUID PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  is_active BOOLEAN NOT NULL,
  version INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- Versions are never changed: what ran, ran under the version then in force.
CREATE TABLE policy_versions (
  policy_id UUID NOT NULL REFERENCES policies(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  definition JSONB NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (policy_id, version)
);
