import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';

/** A named filter: a tile layer and a file at once, which change with it. */
export interface View {
  readonly id: string;
  /** Name in addresses: lower-case letters, digits and hyphens; unique. */
  readonly slug: string;
  readonly name: string;
  readonly filter: RequestedFilter;
  readonly order: FeatureOrder | null;
  /** How a client draws it; the service only keeps it. */
  readonly style: unknown;
}

/** What a person says of a view. */
export type NewView = Omit<View, 'id'>;

/** Where views are kept; the port that the database implements. */
export interface ViewStore {
  /** By name. */
  list(): Promise<View[]>;
  byId(id: string): Promise<View | null>;
  byIds(ids: readonly string[]): Promise<View[]>;
  bySlug(slug: string): Promise<View | null>;
  /** @throws {ViewSlugTakenError} */
  create(view: NewView): Promise<View>;
  /** @returns null when there is no such view @throws {ViewSlugTakenError} */
  update(id: string, view: NewView): Promise<View | null>;
  /** @returns whether it was there */
  delete(id: string): Promise<boolean>;
}
