-- Neighbours of a feature are read from the index alone: row-level security asks each pair for its workspace, which so far
-- lay in the table only.
ALTER TABLE feature_adjacency DROP CONSTRAINT feature_adjacency_pkey;
ALTER TABLE feature_adjacency ADD CONSTRAINT feature_adjacency_pkey PRIMARY KEY (feature_a, feature_b) INCLUDE (workspace_id);
DROP INDEX feature_adjacency_b;
CREATE INDEX feature_adjacency_b ON feature_adjacency (feature_b, feature_a) INCLUDE (workspace_id);
