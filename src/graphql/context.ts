import DataLoader from 'dataloader';
import { AppError } from '../errors.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from '../feature/feature.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import type { RequestedNeighbours } from '../feature/feature.service.ts';
import type { Links } from '../identity/open-identity.ts';
import type { Viewer } from '../identity/viewer.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Review } from '../review/review.ts';
import type { Services } from '../services.ts';
import type { RequestLimits } from './request-limits.ts';
import type { AnswerText } from './text-answer/json-text.ts';
import type { Scene } from '../scene/scene.ts';
import type { Segmentation, StoredMask } from '../segmentation/segmentation.ts';

/** Loads values of many owners in one query; one loader for each set of arguments that the operation gives the field. */
type LoaderOf<Asked, Value> = (asked: Asked) => DataLoader<string, Value>;

/** What the resolvers of one request share: the viewer's services, and loaders that turn many look-ups into one query. */
export interface RequestContext {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly limits: RequestLimits;
  readonly links: Links;
  readonly scenes: DataLoader<string, Scene>;
  readonly segmentations: DataLoader<string, Segmentation>;
  readonly features: DataLoader<string, Feature>;
  /** Newest review, by feature. */
  readonly reviews: DataLoader<string, Review | null>;
  /** Every review, newest first, by feature. */
  readonly reviewHistories: DataLoader<string, readonly Review[]>;
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
  /** Adds a sentence to `extensions.warnings` of the answer, once. */
  readonly warn: (warning: string) => void;
  readonly warnings: ReadonlySet<string>;
  /** Parts of the answer that resolvers have as text; null where the answer is not sent over HTTP. */
  texts: AnswerText[] | null;
}

/** Of whom and with what the context of a request is made. */
export interface ContextParts {
  readonly viewer: Viewer;
  /** Made for the viewer. */
  readonly services: Services;
  readonly limits: RequestLimits;
  readonly links: Links;
}

export function createContext({ viewer, services, limits, links }: ContextParts): RequestContext {
  const { scenes, segmentations, features, reviews } = services;
  const warnings = new Set<string>();
  const warn = (warning: string): void => void warnings.add(warning);
  return {
    viewer,
    services,
    limits,
    links,
    scenes: loader(async (ids) => byId(await scenes.byIds(ids))),
    segmentations: loader(async (ids) => byId(await segmentations.byIds(ids))),
    features: loader(async (ids) => byId(await features.byIds(ids))),
    reviews: loader(async (ids) => {
      const current = await reviews.current(ids);
      return new Map(ids.map((id) => [id, current.get(id) ?? null]));
    }),
    reviewHistories: loader((ids) => reviews.history(ids)),
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
    warn,
    warnings,
    texts: null,
  };
}

/** An object was deleted after the request had found its identifier. */
export class DeletedMeanwhileError extends AppError {
  readonly code = 'DELETED_MEANWHILE';
  constructor(id: string) {
    super(`${id} was deleted while the request was being answered; send the request again.`);
  }
}

function byId<T extends { readonly id: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

function loader<T>(load: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>): DataLoader<string, T> {
  return new DataLoader(async (ids) => {
    const rows = await load(ids);
    return ids.map((id): T | Error => {
      const row = rows.get(id);
      return row === undefined ? new DeletedMeanwhileError(id) : row;
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
