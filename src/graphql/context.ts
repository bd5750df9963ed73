import DataLoader from 'dataloader';
import type { ModelInfo } from '../inference/segmentation-model.ts';
import type { GeometryFormat } from '../feature/feature.store.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';

/** Makes links into this service as the client reaches it. */
export interface Links {
  /** @param path begins with a slash */
  absolute(path: string): string;
}

/** What the resolvers of one request share: links, and loaders that turn many small look-ups into one query. */
export interface RequestContext {
  readonly links: Links;
  readonly scenes: DataLoader<string, Scene>;
  readonly segmentations: DataLoader<string, Segmentation>;
  /** GeoJSON text of a feature's outline; one loader for each format that the operation asks for. */
  readonly geometries: (format: GeometryFormat) => DataLoader<string, string>;
  /** Every model of the model folder. */
  readonly models: () => (ModelInfo & { readonly ready: boolean })[];
  readonly modelReady: (id: string) => boolean;
}

/** The models that can be asked, as far as clients may know of them. */
export interface ModelList {
  list(): readonly ModelInfo[];
  isReady(id: string): boolean;
}

interface Services {
  readonly scenes: SceneService;
  readonly segmentations: SegmentationService;
  readonly features: FeatureService;
  readonly models: ModelList;
}

function byKey<T>(rows: ReadonlyMap<string, T>, keys: readonly string[]): (T | Error)[] {
  return keys.map((key) => rows.get(key) ?? new Error(`row ${key} is gone`));
}

function loader<T extends { readonly id: string }>(
  load: (ids: readonly string[]) => Promise<T[]>,
): DataLoader<string, T> {
  return new DataLoader(async (ids) => byKey(new Map((await load(ids)).map((row) => [row.id, row])), ids));
}

/** @param baseUrl as the client reaches the service, without a slash at the end */
export function createContext(services: Services, baseUrl: string): RequestContext {
  const geometries = new Map<string, DataLoader<string, string>>();
  return {
    links: { absolute: (path) => `${baseUrl}${path}` },
    scenes: loader((ids) => services.scenes.byIds(ids)),
    segmentations: loader((ids) => services.segmentations.byIds(ids)),
    geometries(format) {
      const key = `${format.precision}/${format.simplifyM}`;
      const known = geometries.get(key);
      if (known) return known;
      const made = new DataLoader<string, string>(async (ids) =>
        byKey(await services.features.geometries(ids, format), ids),
      );
      geometries.set(key, made);
      return made;
    },
    models: () => services.models.list().map((model) => ({ ...model, ready: services.models.isReady(model.id) })),
    modelReady: (id) => services.models.isReady(id),
  };
}
