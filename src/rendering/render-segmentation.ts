import { AppError } from '../errors.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import type { Scene } from '../scene/scene.ts';
import { fromCocoCounts } from '../vector/coco-counts.ts';
import type { MaskRuns } from '../vector/mask-runs.ts';
import { renderMaskGeoTiff } from './render-geotiff.ts';
import { renderMaskPng } from './render-mask-png.ts';
import { renderOverlayPng } from './render-overlay.ts';
import type { Segmentation, StoredMask } from '../segmentation/segmentation.ts';

/** The files available for a finished segmentation. */
export const RENDERINGS = ['mask.png', 'overlay.png', 'mask.tif'] as const;
export type Rendering = (typeof RENDERINGS)[number];

type MaskedSegmentation = Pick<Segmentation, 'id' | 'sceneId' | 'state'>;

/** Access to scenes and masks. */
export interface RenderSources {
  readonly scenes: { get(id: string): Promise<Scene>; open(scene: Scene): Promise<ImageSource> };
  readonly segmentations: { mask(id: string): Promise<StoredMask | null> };
}

/** The segmentation has no mask because it has not succeeded. */
export class MaskNotFoundError extends AppError {
  readonly code = 'MASK_NOT_FOUND';
  constructor({ id, state }: Pick<Segmentation, 'id' | 'state'>) {
    super(`Segmentation ${id} is ${state}; only SUCCEEDED segmentations have a mask.`);
  }
}

/**
 * Renders one file of a segmentation.
 * @returns chunks of the file, in order
 * @throws {MaskNotFoundError} and errors of reading the scene and writing the file
 */
export async function renderSegmentation(
  sources: RenderSources,
  segmentation: MaskedSegmentation,
  rendering: Rendering,
): Promise<Buffer[]> {
  if (rendering === 'overlay.png') return [await renderOverlay(sources, segmentation.sceneId, [segmentation])];
  const mask = await readMask(sources.segmentations, segmentation);
  if (rendering === 'mask.png') return [await renderMaskPng(mask)];
  return renderMaskGeoTiff(mask, await sources.scenes.get(segmentation.sceneId));
}

/**
 * Draws the masks of several segmentations over their scene, each in its own colour, as PNG.
 * @throws {MaskNotFoundError} and errors of reading the scene
 */
export async function renderOverlay(
  sources: RenderSources,
  sceneId: string,
  segmentations: readonly MaskedSegmentation[],
): Promise<Buffer> {
  const masks: MaskRuns[] = [];
  for (const segmentation of segmentations) masks.push(await readMask(sources.segmentations, segmentation));
  const scene = await sources.scenes.get(sceneId);
  const source = await sources.scenes.open(scene);
  try {
    return await renderOverlayPng(source, scene, masks);
  } finally {
    await source.close();
  }
}

/** @throws {MaskNotFoundError} */
export async function readMask(
  segmentations: RenderSources['segmentations'],
  segmentation: MaskedSegmentation,
): Promise<MaskRuns> {
  const stored = await segmentations.mask(segmentation.id);
  if (!stored) throw new MaskNotFoundError(segmentation);
  return fromCocoCounts(stored.counts, stored.widthPx, stored.heightPx);
}
