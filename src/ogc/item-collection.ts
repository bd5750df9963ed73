import type { Geometry } from 'geojson';
import type { Condition } from '../cql2/condition.ts';
import type { QueryableKind } from '../cql2/resolve.ts';
import type { TimeRange } from './datetime.ts';
import type { Wgs84Box } from './crs.ts';

/** A property of the items of a collection. */
export interface ItemProperty {
  readonly name: string;
  readonly kind: 'TEXT' | 'REAL' | 'COUNT' | 'TIME';
  readonly unit: string | null;
  readonly doc: string;
}

/** Which items of a collection are asked for. */
export interface ItemQuery {
  readonly condition: Condition | null;
  readonly place: Geometry | Wgs84Box | null;
  readonly time: TimeRange | null;
  readonly limit: number;
  /** Cursor of the item before the first; null for the first page. */
  readonly after: string | null;
}

/** An item as GeoJSON. */
export interface Item {
  /** RFC 7946 geometry as text, in WGS 84; `null` without one. */
  readonly geometry: string;
  /** Text of the feature around a geometry. @param isStored whether that is the geometry in WGS 84 */
  readonly text: (geometry: string, isStored: boolean) => string;
}

export interface ItemPage {
  readonly items: readonly Item[];
  /** Cursor of the last item when more follow. */
  readonly next: string | null;
  readonly numberMatched: () => Promise<number>;
}

/** A list of features of OGC API, whatever it is made of. */
export interface ItemCollection {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Query of the collection's vector tile URLs; null if it has no tiles. */
  readonly tilesQuery: string | null;
  readonly properties: readonly ItemProperty[];
  /** Type of the geometry, for the schema. */
  readonly geometryDoc: string;
  page(query: ItemQuery): Promise<ItemPage>;
  item(id: string): Promise<Item | null>;
}

const KINDS: Readonly<Record<ItemProperty['kind'], QueryableKind>> = {
  TEXT: 'TEXT',
  REAL: 'NUMBER',
  COUNT: 'NUMBER',
  TIME: 'TIME',
};

/** What a filter on the items may name. */
export function queryablesOf({ properties }: Pick<ItemCollection, 'properties'>): ReadonlyMap<string, QueryableKind> {
  return new Map<string, QueryableKind>([
    ...properties.map(({ name, kind }): [string, QueryableKind] => [name, KINDS[kind]]),
    ['geometry', 'GEOMETRY'],
  ]);
}
