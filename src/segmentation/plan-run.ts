import type { MultiPolygon, Polygon } from 'geojson';
import type { ModelInfo } from '../inference/segmentation-model.ts';
import { AreaMask } from '../raster/area-mask.ts';
import { planWindows, type WindowPlan } from '../raster/window-plan.ts';
import { areaRings } from '../imagery/area-rings.ts';
import { resolveCrs } from '../imagery/crs/crs.ts';
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
 * @throws errors of {@link planWindows}
 */
export async function planRun(asked: Asked, scene: Scene, model: ModelInfo, maxWindows: number): Promise<RunPlan> {
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

/** The area in the scene frame. */
async function areaMask(area: Polygon | MultiPolygon, scene: GeoreferencedScene): Promise<AreaMask> {
  const { affine, widthPx, heightPx } = scene;
  const rings = areaRings(area, { affine, crs: await resolveCrs(scene.crs), widthPx, heightPx });
  return new AreaMask(rings, widthPx, heightPx);
}
