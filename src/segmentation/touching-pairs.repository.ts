import { geoJSONToWkt } from 'betterknown';
import { Prisma, type Queries } from '../database/database.ts';
import type { Target } from './near-pairs.repository.ts';
import { chunks } from './row-chunks.ts';
import type { StoredAdjacencyInput } from './segmentation.store.ts';

/**
 * Stores pairs of features whose pixels meet. Uses the unique index `feature_label` to find both features of a pair.
 * @returns the number of pairs whose features are stored
 */
export async function insertTouching(
  queries: Queries,
  { sceneId, workspace }: Pick<Target, 'sceneId' | 'workspace'>,
  adjacency: readonly StoredAdjacencyInput[],
  georeferenced: boolean,
): Promise<number> {
  let stored = 0;
  for (const rows of chunks(adjacency.map(adjacencyJson))) {
    stored += await queries.execute(Prisma.sql`
      INSERT INTO feature_adjacency (workspace_id, feature_a, feature_b, scene_id, relation, shared_border_m, corners, gap_m, bearing_deg)
      SELECT ${workspace}::text, a.id, b.id, ${sceneId}::uuid, 'TOUCHES',
             CASE WHEN ${georeferenced}::boolean
               THEN COALESCE(ST_Length(ST_GeomFromText(r.border, 4326)::geography), 0) END,
             r.corners, CASE WHEN ${georeferenced}::boolean THEN 0 END, bearing(a.centroid, b.centroid)
      FROM json_to_recordset(${rows}::text::json)
        AS r(of_a uuid, label_a int, of_b uuid, label_b int, border text, corners int)
      JOIN feature AS one ON one.segmentation_id = r.of_a AND one.label = r.label_a AND one.scene_id = ${sceneId}::uuid
      JOIN feature AS two ON two.segmentation_id = r.of_b AND two.label = r.label_b AND two.scene_id = ${sceneId}::uuid
      JOIN feature AS a ON a.id = LEAST(one.id, two.id)
      JOIN feature AS b ON b.id = GREATEST(one.id, two.id)`);
  }
  return stored;
}

function adjacencyJson(pair: StoredAdjacencyInput): () => string {
  const { segmentationA, labelA, segmentationB, labelB, border, corners } = pair;
  return () =>
    JSON.stringify({
      of_a: segmentationA,
      label_a: labelA,
      of_b: segmentationB,
      label_b: labelB,
      border: border && geoJSONToWkt(border),
      corners,
    });
}
