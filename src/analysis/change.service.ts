import { AppError } from '../errors.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import type { ChangeStore, FeatureChange } from './change.ts';
import { matchFeatures } from './match-features.ts';

/** A least overlap that nothing, or everything, would reach. */
export class InvalidOverlapError extends AppError {
  readonly code = 'INVALID_OVERLAP';
  constructor(minOverlap: number) {
    super(`minOverlap is ${minOverlap}; it must be more than 0 and at most 1.`, {
      details: { argument: 'minOverlap', value: minOverlap, limit: 1 },
    });
  }
}

/** A segmentation has no result to compare. */
export class SegmentationNotFinishedError extends AppError {
  readonly code = 'SEGMENTATION_NOT_FINISHED';
  constructor({ id, state }: Segmentation) {
    super(`Segmentation ${id} is ${state}; only SUCCEEDED segmentations can be compared.`);
  }
}

/** A scene has no place on the ground. */
export class ChangeNotGeoreferencedError extends AppError {
  readonly code = 'SCENE_NOT_GEOREFERENCED';
  constructor(segmentation: Segmentation) {
    super(
      `Scene ${segmentation.sceneId} of segmentation ${segmentation.id} has no georeference; it cannot be compared.`,
    );
  }
}

/** Two segmentations did not look at the same ground anywhere. */
export class NoCommonGroundError extends AppError {
  readonly code = 'NO_COMMON_GROUND';
  constructor(from: Segmentation, to: Segmentation) {
    super(
      `Scenes ${from.sceneId} and ${to.sceneId}, or their areas of interest, do not overlap; there is nothing to compare.`,
    );
  }
}

/** More features than one comparison takes. */
export class ChangeTooLargeError extends AppError {
  readonly code = 'CHANGE_TOO_LARGE';
  constructor({ id, featureCount }: Segmentation) {
    super(`Segmentation ${id} has ${featureCount} features; the limit for a comparison is ${MAX_CHANGE_FEATURES}.`);
  }
}

/** Most features of each of the two segmentations. */
const MAX_CHANGE_FEATURES = 20_000;
/** Scenes side by side share slivers of ground where their edges round differently; less than this share does not count as overlap. */
const MIN_COMMON_SHARE = 1e-6;

/** What changed between two segmentations. */
export class ChangeService {
  constructor(
    private readonly segmentations: Pick<SegmentationService, 'require'>,
    private readonly scenes: Pick<SceneService, 'get'>,
    private readonly store: ChangeStore,
  ) {}

  /**
   * Compares two segmentations on the ground that both looked at: where footprints and areas of interest meet. Grids and
   * CRS of the scenes may differ.
   * @param minOverlap least intersection over union that makes two features one
   * @throws {SegmentationNotFoundError} {@link InvalidOverlapError} {@link SegmentationNotFinishedError}
   * @throws {ChangeNotGeoreferencedError} {@link NoCommonGroundError} {@link ChangeTooLargeError}
   */
  async between(fromId: string, toId: string, minOverlap: number): Promise<FeatureChange> {
    if (!(minOverlap > 0 && minOverlap <= 1)) throw new InvalidOverlapError(minOverlap);
    const [from, to] = await Promise.all([this.comparable(fromId), this.comparable(toId)]);
    if ((await this.store.commonShare(from.id, to.id)) < MIN_COMMON_SHARE) throw new NoCommonGroundError(from, to);
    const [parts, overlaps] = await Promise.all([
      this.store.parts(from.id, to.id),
      this.store.overlaps(from.id, to.id),
    ]);
    const partsOf = ({ id }: Segmentation) => parts.filter(({ segmentationId }) => segmentationId === id);
    return matchFeatures(partsOf(from), partsOf(to), overlaps, minOverlap);
  }

  private async comparable(id: string): Promise<Segmentation> {
    const segmentation = await this.segmentations.require(id);
    if (segmentation.state !== 'SUCCEEDED') throw new SegmentationNotFinishedError(segmentation);
    const scene: Scene = await this.scenes.get(segmentation.sceneId);
    if (!isGeoreferenced(scene)) throw new ChangeNotGeoreferencedError(segmentation);
    if (segmentation.featureCount > MAX_CHANGE_FEATURES) throw new ChangeTooLargeError(segmentation);
    return segmentation;
  }
}
