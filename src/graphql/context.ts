import DataLoader from 'dataloader';
import type { ModelInfo } from '../inference/segmentation-model.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from '../feature/feature.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import type { FeatureService, RequestedNeighbours } from '../feature/feature.service.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AnswerText } from './text-answer/json-text.ts';
import type { Scene } from '../scene/scene.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Segmentation, StoredMask } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';

/** Makes links into this service as the client reaches it. */
export interface Links {
  /** @param path begins with a slash */
  absolute(path: string): string;
}

/** Loads values of many owners in one query; one loader for each set of arguments that the operation gives the field. */
type LoaderOf<Asked, Value> = (asked: Asked) => DataLoader<string, Value>;

/** What the resolvers of one request share: links, and loaders that turn many small look-ups into one query. */
export interface RequestContext {
  readonly links: Links;
  readonly scenes: DataLoader<string, Scene>;
  readonly segmentations: DataLoader<string, Segmentation>;
  readonly features: DataLoader<string, Feature>;
  /** By segmentation. */
  readonly masks: DataLoader<string, StoredMask | null>;
  /** By scene. */
  readonly segmentationsOf: LoaderOf<PageRequest, Page<Segmentation>>;
  readonly segmentationCounts: DataLoader<string, number>;
  /** By segmentation. */
  readonly featuresOf: LoaderOf<
    { filter: RequestedFilter; order: FeatureOrder | undefined; page: PageRequest },
    Page<Feature>
  >;
  readonly featureCounts: LoaderOf<RequestedFilter, number>;
  /** By feature. */
  readonly neighbours: LoaderOf<{ filter: RequestedNeighbours; page: PageRequest }, Page<FeatureNeighbour>>;
  readonly neighbourCounts: LoaderOf<RequestedNeighbours, number>;
  /** GeoJSON text of a feature's outline. */
  readonly geometries: LoaderOf<GeometryFormat, string>;
  /** Every model of the model folder. */
  readonly models: () => (ModelInfo & { readonly ready: boolean })[];
  readonly modelReady: (id: string) => boolean;
  /** States of a segmentation as they come. */
  readonly progress: (segmentationId: string) => Promise<AsyncIterable<Segmentation>>;
  /** Adds a sentence to `extensions.warnings` of the answer, once. */
  readonly warn: (warning: string) => void;
  readonly warnings: ReadonlySet<string>;
  /** Takes parts of the answer that resolvers have as text; null where the answer is no HTTP response. */
  texts: AnswerText[] | null;
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

/** @param baseUrl as the client reaches the service, without a slash at the end */
export function createContext(services: Services, baseUrl: string): RequestContext {
  const { scenes, segmentations, features, models } = services;
  const warnings = new Set<string>();
  const warn = (warning: string): void => void warnings.add(warning);
  return {
    links: { absolute: (path) => `${baseUrl}${path}` },
    scenes: loader(async (ids) => byId(await scenes.byIds(ids))),
    segmentations: loader(async (ids) => byId(await segmentations.byIds(ids))),
    features: loader(async (ids) => byId(await features.byIds(ids))),
    masks: loader(async (ids) => {
      const masks = await segmentations.masks(ids);
      return new Map(ids.map((id) => [id, masks.get(id) ?? null]));
    }),
    segmentationsOf: loaderOf((ids, page) => segmentations.listOf(ids, page)),
    segmentationCounts: loader((ids) => segmentations.countsOf(ids)),
    featuresOf: loaderOf((ids, { filter, order, page }) => features.findIn(ids, filter, order, page, warn)),
    featureCounts: loaderOf((ids, filter) => features.countsIn(ids, filter)),
    neighbours: loaderOf((ids, { filter, page }) => features.neighbours(ids, filter, page)),
    neighbourCounts: loaderOf((ids, filter) => features.neighbourCounts(ids, filter)),
    geometries: loaderOf((ids, format) => features.geometries(ids, format)),
    models: () => models.list().map((model) => ({ ...model, ready: models.isReady(model.id) })),
    modelReady: (id) => models.isReady(id),
    progress: (id) => segmentations.progress(id),
    warn,
    warnings,
    texts: null,
  };
}

function byId<T extends { readonly id: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

function loader<T>(load: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>): DataLoader<string, T> {
  return new DataLoader(async (ids) => {
    const rows = await load(ids);
    return ids.map((id) => {
      const row = rows.get(id);
      return row === undefined ? new Error(`row ${id} is gone`) : row;
    });
  });
}

function loaderOf<Asked, T>(
  load: (ids: readonly string[], asked: Asked) => Promise<ReadonlyMap<string, T>>,
): LoaderOf<Asked, T> {
  const loaders = new Map<string, DataLoader<string, T>>();
  return (asked) => {
    const key = JSON.stringify(asked);
    const known = loaders.get(key);
    if (known) return known;
    const made = loader((ids) => load(ids, asked));
    loaders.set(key, made);
    return made;
  };
}
