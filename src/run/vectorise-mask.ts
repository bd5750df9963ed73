import { pixelToMap } from '../raster/affine.ts';
import { pixelAreaM2 } from '../raster/pixel-area.ts';
import { resolveCrs } from '../imagery/crs/crs.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import { adjacency, adjacencyWithin } from '../vector/adjacency.ts';
import { anchorPxFor } from '../vector/anchor-distance.ts';
import type { AdjacentPair } from '../vector/border-collector.ts';
import { borderToWgs84 } from '../vector/border-geojson.ts';
import type { ToWgs84 } from '../vector/ground-position.ts';
import { labelMask } from '../vector/label-mask.ts';
import type { LabelledMask } from '../vector/labelled-mask.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';
import { polygonToPixels, polygonToWgs84 } from '../vector/polygon-geojson.ts';
import { tracePolygons } from '../vector/trace-polygons.ts';
import type { StoredAdjacencyInput, StoredFeatureInput } from '../segmentation/segmentation.store.ts';

/** Where a scene's pixels lie on the ground. */
export interface Ground {
  readonly toWgs84: ToWgs84;
  /** Distance of the vertices kept along straight edges, so that outlines follow the ground. */
  readonly anchorPx: number;
}

/** Null for a scene without georeference. */
export async function groundOf(scene: Scene): Promise<Ground | null> {
  if (!isGeoreferenced(scene)) return null;
  const { affine } = scene;
  const crs = await resolveCrs(scene.crs);
  const toWgs84: ToWgs84 = (column, row) => crs.toWgs84(pixelToMap(affine, column, row));
  return { toWgs84, anchorPx: anchorPxFor(scene.widthPx, scene.heightPx, toWgs84) };
}

/**
 * The connected parts of a mask, without those smaller than `minAreaM2` by the ground size of their pixels (that of each
 * row's middle).
 */
export function labelScene(mask: MaskRuns, ground: Ground | null, minAreaM2: number): LabelledMask {
  if (ground === null || minAreaM2 === 0) return labelMask(mask);
  const middle = Math.floor(mask.widthPx / 2);
  return labelMask(mask, { minAreaM2, pixelAreaM2: (row) => pixelAreaM2(ground.toWgs84, middle, row) });
}

/** Every label as a stored feature: WGS 84, or scene pixels for a scene without georeference. */
export function featuresOf(labelled: LabelledMask, ground: Ground | null): StoredFeatureInput[] {
  return tracePolygons(labelled, ground?.anchorPx).map((polygon) => ({
    label: polygon.label,
    geometry: ground ? polygonToWgs84(polygon, ground.toWgs84) : polygonToPixels(polygon),
    ...labelled.measures(polygon.label),
  }));
}

/** Labels of one segmentation that meet: at corners only, since labels that share an edge are one. */
export function contactsWithin(id: string, labelled: LabelledMask, ground: Ground | null): StoredAdjacencyInput[] {
  return adjacencyWithin(labelled).map((pair) => toStored(id, id, pair, ground));
}

/** Labels of two segmentations of one scene that meet or overlap. */
export function contactsBetween(
  a: { id: string; labelled: LabelledMask },
  b: { id: string; labelled: LabelledMask },
  ground: Ground | null,
): StoredAdjacencyInput[] {
  return adjacency(a.labelled, b.labelled).map((pair) => toStored(a.id, b.id, pair, ground));
}

function toStored(
  segmentationA: string,
  segmentationB: string,
  { labelA, labelB, edges, corners }: AdjacentPair,
  ground: Ground | null,
): StoredAdjacencyInput {
  const border = ground && edges.length > 0 ? borderToWgs84(edges, ground.toWgs84, ground.anchorPx) : null;
  return { segmentationA, labelA, segmentationB, labelB, border, corners };
}
