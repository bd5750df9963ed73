import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  type GraphQLNamedOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { INSTANTS, INTEGERS, LATITUDES, LONGITUDES, NUMBERS, TEXTS } from './edge-values.ts';

/** What the generator knows of the stored data, so that some of what it asks exists. */
export interface Known {
  readonly ids: readonly string[];
  readonly cursors: readonly string[];
  /** Files and folders that a scene could be registered from. */
  readonly paths: readonly string[];
  /** A box around stored features. */
  readonly box: readonly [west: number, south: number, east: number, north: number];
}

export interface RandomOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const DEEPEST = 6;
/** Deletes what later operations ask for. */
const LEFT_OUT = new Set(['deleteScene']);

/** Draws operations that a schema allows, with values at the edges of their types and beyond. */
export class RandomOperations {
  private variables: Record<string, unknown> = {};
  private definitions: string[] = [];

  /** @param random numbers in [0, 1) */
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly known: Known,
    private readonly random: () => number,
  ) {}

  next(): RandomOperation {
    const mutation = this.chance(0.12);
    const root = mutation ? this.schema.getMutationType()! : this.schema.getQueryType()!;
    const fields = Object.values(root.getFields()).filter(({ name }) => !LEFT_OUT.has(name));
    for (;;) {
      this.variables = {};
      this.definitions = [];
      const body = this.field(this.pick(fields), 0);
      const declared = this.definitions.length > 0 ? `(${this.definitions.join(' ')})` : '';
      const query = `${mutation ? 'mutation' : 'query'}${declared}{${body}}`;
      if (query.length < 6000) return { query, variables: this.variables };
    }
  }

  private field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const type = getNamedType(field.type);
    return `${field.name}${this.arguments(field.args)}${isLeafType(type) ? '' : this.selection(type, depth)}`;
  }

  private selection(type: GraphQLNamedOutputType, depth: number): string {
    if (isInterfaceType(type)) {
      const actual = this.pick(this.schema.getPossibleTypes(type));
      return `{__typename id ... on ${actual.name}${this.selection(actual, depth + 1)}}`;
    }
    if (!isObjectType(type)) return '';
    const fields = Object.values(type.getFields()).filter(
      (field) => this.chance(depth < 2 ? 0.5 : 0.3) && (depth < DEEPEST || isLeafType(getNamedType(field.type))),
    );
    return `{${fields.map((field) => this.field(field, depth + 1)).join(' ') || '__typename'}}`;
  }

  private arguments(args: readonly GraphQLArgument[]): string {
    const given = args.filter(({ type, defaultValue }) =>
      this.chance(isNonNullType(type) && defaultValue === undefined ? 0.99 : 0.45),
    );
    const parts = given.map(({ name, type }) => {
      const variable = `v${this.definitions.length}`;
      this.definitions.push(`$${variable}:${String(type)}`);
      this.variables[variable] = this.value(type, 0, name);
      return `${name}:$${variable}`;
    });
    return parts.length > 0 ? `(${parts.join(',')})` : '';
  }

  private value(type: GraphQLInputType, depth: number, name: string): unknown {
    if (isNonNullType(type)) return this.chance(0.01) ? null : this.value(type.ofType, depth, name);
    if (this.chance(0.05)) return null;
    if (isListType(type)) return this.list(type.ofType, depth, name);
    return this.single(type, depth, name);
  }

  private list(item: GraphQLInputType, depth: number, name: string): unknown[] {
    const isBox = name === 'bbox' || name === 'bounds';
    const [west, south, east, north] = this.known.box;
    if (isBox && this.chance(0.7)) {
      return this.pick<readonly number[]>([
        [west, south, east, north],
        [east, south, west, north],
        [-180, -90, 180, 90],
        [this.longitude(), this.latitude(), this.longitude(), this.latitude()],
      ]).slice();
    }
    const length = isBox ? 4 : Math.floor(this.random() * 3);
    return Array.from({ length }, () => this.value(item, depth + 1, name));
  }

  private single(type: GraphQLNamedInputType, depth: number, name: string): unknown {
    if (isEnumType(type)) return this.chance(0.02) ? 'BOGUS' : this.pick(type.getValues()).name;
    if (isInputObjectType(type)) return this.object(type, depth);
    if (name === 'after' || name === 'before')
      return this.pick([...this.known.cursors, 'x', '', 'bnVsbA==', this.text()]);
    if (['first', 'last', 'limit'].includes(name) && this.chance(0.8)) return this.pick([0, 1, 3, 10]);
    if (name === 'waitS') return this.pick([0, 0, 1, -1, 601]);
    if (name === 'path') return this.pick([...this.known.paths, '/etc/passwd', '..', '.', this.text()]);
    if (name === 'url') return this.pick(['https://127.0.0.1/a', 'file:///etc/passwd', 's3://a/b', this.text()]);
    return this.scalar(type.name);
  }

  private object(type: GraphQLNamedInputType, depth: number): object {
    if (!isInputObjectType(type)) return {};
    const fields = Object.values(type.getFields());
    const object: Record<string, unknown> = this.chance(0.01) ? { bogus: 1 } : {};
    for (const field of fields) {
      const nests = isInputObjectType(getNamedType(field.type));
      const often = depth > 3 && nests ? 0 : fields.length > 8 ? 0.13 : 0.5;
      if (this.chance(isNonNullType(field.type) ? 0.99 : often)) {
        object[field.name] = this.value(field.type, depth + 1, field.name);
      }
    }
    return object;
  }

  private scalar(name: string): unknown {
    switch (name) {
      case 'Int':
        return this.pick(INTEGERS);
      case 'Float':
        return this.pick(NUMBERS);
      case 'Boolean':
        return this.chance(0.5);
      case 'DateTime':
        return this.pick<unknown>(INSTANTS);
      case 'GeoJSONGeometry':
        return this.geometry(0);
      case 'GeoJSONFeatureCollection':
        return this.pick<unknown>([
          this.collection(),
          { type: 'FeatureCollection', features: [] },
          {},
          this.geometry(0),
        ]);
      case 'ID':
        return this.chance(0.6) && this.known.ids.length > 0 ? this.pick(this.known.ids) : this.text();
      default:
        return this.text();
    }
  }

  private collection(): object {
    const features = [
      { type: 'Feature', id: 1, geometry: this.geometry(0), properties: {} },
      { type: 'Feature', geometry: this.geometry(0), properties: null },
    ];
    return { type: 'FeatureCollection', features };
  }

  private geometry(depth: number): unknown {
    const point = (): number[] => [this.longitude(), this.latitude()];
    return this.pick<() => unknown>([
      () => ({ type: 'Point', coordinates: point() }),
      () => ({ type: 'Polygon', coordinates: [this.ring()] }),
      () => ({ type: 'Polygon', coordinates: [this.ring(), this.ring()] }),
      () => ({ type: 'MultiPolygon', coordinates: [[this.ring()], [this.ring()]] }),
      () => ({ type: 'LineString', coordinates: [point(), point()] }),
      () => ({ type: 'LineString', coordinates: [point()] }),
      () => ({ type: 'MultiPoint', coordinates: [] }),
      () => ({
        type: 'GeometryCollection',
        geometries: depth < 5 ? [this.geometry(depth + 1), this.geometry(depth + 1)] : [],
      }),
      () => ({ type: 'Feature', geometry: null, properties: {} }),
      () => ({ type: 'Polygon' }),
      () => ({ type: 'Point', coordinates: ['a', 'b'] }),
      () => ({ type: 'Point', coordinates: [4, 51], crs: { type: 'name', properties: { name: 'EPSG:28992' } } }),
      () => this.pick<unknown>([null, 'x', {}]),
    ])();
  }

  /** Valid, crossing itself, without area, open, out of bounds, empty, the world, across the antimeridian, in 3D. */
  private ring(): number[][] {
    const [west, south, east, north] = this.known.box;
    const x = west + this.random() * (east - west);
    const y = south + this.random() * (north - south);
    const d = this.random() * (east - west);
    return this.pick<number[][]>([
      [
        [x, y],
        [x + d, y],
        [x + d, y + d],
        [x, y + d],
        [x, y],
      ],
      [
        [x, y],
        [x + d, y + d],
        [x + d, y],
        [x, y + d],
        [x, y],
      ],
      [
        [x, y],
        [x, y],
        [x, y],
        [x, y],
      ],
      [
        [x, y],
        [x + d, y],
        [x, y],
      ],
      Array.from({ length: 4 }, () => [this.longitude(), this.latitude()]),
      [],
      [
        [-180, -90],
        [180, -90],
        [180, 90],
        [-180, 90],
        [-180, -90],
      ],
      [
        [170, 0],
        [-170, 0],
        [-170, 10],
        [170, 10],
        [170, 0],
      ],
      [
        [x, y, 1e308],
        [x + d, y],
        [x + d, y + d],
        [x, y],
      ],
    ]);
  }

  private text(): string {
    return this.pick(TEXTS);
  }

  private longitude(): number {
    return this.pick([...LONGITUDES, this.known.box[0], this.known.box[2]]);
  }

  private latitude(): number {
    return this.pick([...LATITUDES, this.known.box[1], this.known.box[3]]);
  }

  private pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }

  private chance(share: number): boolean {
    return this.random() < share;
  }
}
