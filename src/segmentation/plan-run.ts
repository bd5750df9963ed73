import type { MultiPolygon, Polygon } from 'geojson';
import type { ModelInfo } from '../inference/segmentation-model.ts';
import { AreaMask } from '../raster/area-mask.ts';
import { isTooCoarse, planWindows, type WindowPlan } from '../raster/window-plan.ts';
import { areaRings } from '../imagery/area-rings.ts';
import { resolveCrs } from '../imagery/crs/crs.ts';
import { requireImage } from '../scene/scene-copies.ts';
import { isGeoreferenced, type GeoreferencedScene, type Scene } from '../scene/scene.ts';
import type { NewSegmentation } from './segmentation.ts';

/** The pixels of a scene that a question covers. */
export interface RunPlan {
  /** Null when the area of interest and the scene have no pixel in common. */
  readonly windows: WindowPlan | null;
  /** Null: the whole scene. */
  readonly area: AreaMask | null;
}

type Asked = Pick<NewSegmentation, 'areaOfInterest' | 'scale' | 'gsdM'>;

/**
 * Plans a run, without reading a pixel.
 * @param asked an area of interest needs a georeferenced scene; one without is planned whole
 * @throws {ImageDeletedError} and errors of {@link planWindows}
 */
export async function planRun(asked: Asked, scene: Scene, model: ModelInfo, maxWindows: number): Promise<RunPlan> {
  requireImage(scene);
  const area = asked.areaOfInterest && isGeoreferenced(scene) ? await areaMask(asked.areaOfInterest, scene) : null;
  if (area && !area.bounds) return { windows: null, area };
  const windows = planWindows({
    widthPx: scene.widthPx,
    heightPx: scene.heightPx,
    modelPx: model.windowPx,
    mode: asked.scale,
    sceneGsdM: scene.gsdM,
    ...(asked.gsdM === null ? {} : { gsdM: asked.gsdM }),
    modelGsdRangeM: model.gsdM,
    ...(area?.bounds ? { within: area.bounds } : {}),
    maxWindows,
  });
  return { windows, area };
}

/** What a client should know of a scene that is coarser than the images that the model was trained on; else null. */
export function coarseWarning({ scale, gsdM }: Asked, scene: Scene, model: ModelInfo): string | null {
  if (scale !== 'AUTO' || gsdM !== null || !isTooCoarse(scene.gsdM, model.gsdM)) return null;
  const trained = `${model.gsdM.min} to ${model.gsdM.max} m`;
  return `Scene ${scene.id} has pixels of ${scene.gsdM?.toPrecision(4)} m; the model was trained on ${trained}. The run uses the scene's own resolution.`;
}

/** The area in the scene frame. */
async function areaMask(area: Polygon | MultiPolygon, scene: GeoreferencedScene): Promise<AreaMask> {
  const { affine, widthPx, heightPx } = scene;
  const rings = areaRings(area, { affine, crs: await resolveCrs(scene.crs), widthPx, heightPx });
  return new AreaMask(rings, widthPx, heightPx);
}
