-- The outbox: what happened, written by triggers in the transaction of the change, so that an event is there exactly when its
-- change is. Subscriptions and webhooks of every process read it.
CREATE TABLE event (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace ON DELETE CASCADE,
  -- Identifiers are given before the commit, so a reader that has seen one may not have seen a smaller one. In the order of
  -- transactions, those below the oldest that is still running are complete.
  transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  type         text NOT NULL,
  -- Events of one object are delivered in order.
  object_id    uuid NOT NULL,
  data         jsonb NOT NULL,
  at           timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX event_of_workspace ON event (workspace_id, transaction, id);
CREATE INDEX event_newest ON event (transaction, id);
CREATE INDEX event_at ON event (at);

CREATE FUNCTION record_scene() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (workspace_id, type, object_id, data)
  VALUES (NEW.workspace_id, 'scene.registered', NEW.id, jsonb_build_object('sceneId', NEW.id, 'name', NEW.name));
  RETURN NULL;
END
$$;
CREATE TRIGGER scene_recorded AFTER INSERT ON scene FOR EACH ROW EXECUTE FUNCTION record_scene();

CREATE FUNCTION record_segmentation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = NEW.state THEN RETURN NULL; END IF;
  INSERT INTO event (workspace_id, type, object_id, data)
  VALUES (NEW.workspace_id, 'segmentation.' || lower(NEW.state), NEW.id, jsonb_build_object(
    'segmentationId', NEW.id, 'sceneId', NEW.scene_id, 'prompt', NEW.prompt, 'state', NEW.state,
    'featureCount', NEW.feature_count, 'failureCode', NEW.failure_code));
  IF NEW.state = 'SUCCEEDED' AND NEW.feature_count > 0 THEN
    INSERT INTO event (workspace_id, type, object_id, data)
    VALUES (NEW.workspace_id, 'features.added', NEW.id, jsonb_build_object(
      'segmentationId', NEW.id, 'sceneId', NEW.scene_id, 'featureCount', NEW.feature_count));
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER segmentation_recorded AFTER INSERT OR UPDATE OF state ON segmentation
  FOR EACH ROW EXECUTE FUNCTION record_segmentation();

CREATE FUNCTION record_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (workspace_id, type, object_id, data)
  SELECT r.workspace_id, 'features.reviewed', f.segmentation_id, jsonb_build_object(
    'segmentationId', f.segmentation_id, 'sceneId', f.scene_id, 'status', r.status, 'featureCount', count(*),
    'featureIds', jsonb_agg(f.id ORDER BY f.id))
  FROM added AS r JOIN feature AS f ON f.id = r.feature_id
  GROUP BY r.workspace_id, f.segmentation_id, f.scene_id, r.status;
  RETURN NULL;
END
$$;
CREATE TRIGGER review_recorded AFTER INSERT ON review
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_reviews();

-- The first thousand identifiers, and how many there were.
CREATE FUNCTION record_deleted_features() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (workspace_id, type, object_id, data)
  SELECT workspace_id, 'features.deleted', segmentation_id, jsonb_build_object(
    'segmentationId', segmentation_id, 'sceneId', scene_id, 'featureCount', count(*),
    'featureIds', to_jsonb((array_agg(id ORDER BY id))[1:1000]))
  FROM deleted GROUP BY workspace_id, segmentation_id, scene_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER feature_deletion_recorded AFTER DELETE ON feature
  REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION record_deleted_features();

CREATE FUNCTION announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY terraql_events;
  RETURN NULL;
END
$$;
CREATE TRIGGER event_announced AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION announce_events();
