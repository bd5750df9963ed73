import {
  coerceInputValue,
  GraphQLFloat,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  type GraphQLSchema,
  GraphQLString,
  isInputType,
} from 'graphql';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import { filterCost, OperationTooCostlyError } from '../feature/filter-cost.ts';
import type { SceneFilter } from '../scene/scene.service.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { withoutNulls } from './absent-null.ts';
import { BadInputError } from '../errors.ts';
import { checkValue } from './request-shape.ts';

/** Which features a request outside GraphQL asks for, and in which form. */
export interface FeatureRequest {
  readonly filter: RequestedFilter;
  /** Undefined: the default of the outlet. */
  readonly order: FeatureOrder | undefined;
  /** Most features; undefined: all that match. */
  readonly limit: number | undefined;
  /** Decimal places of coordinates; undefined: the default of the format. */
  readonly precision: number | undefined;
  /** Largest shift of an outline by simplification, metres; undefined: none. */
  readonly simplifyM: number | undefined;
  /** Names of the attributes that are written; undefined: all. */
  readonly include: readonly string[] | undefined;
  /** Such as `EPSG:28992`; undefined: WGS 84. */
  readonly crs: string | undefined;
}

/** Members that a feature request can have. */
export const FEATURE_REQUEST_MEMBERS = [
  'filter',
  'orderBy',
  'precision',
  'simplifyM',
  'limit',
  'include',
  'crs',
] as const;
export type FeatureRequestMember = (typeof FEATURE_REQUEST_MEMBERS)[number];

/**
 * Reads `{ filter, orderBy, precision, simplifyM, limit, include, crs }`, all optional, from JSON.
 * @param members that the outlet takes; all of them unless given
 * @throws {BadInputError} for a value that the schema does not allow; {@link OperationTooCostlyError}
 */
export type FeatureRequestReader = (value: unknown, members?: readonly FeatureRequestMember[]) => FeatureRequest;

/**
 * A reader with the types that the schema gives the arguments of `featureCollection`: what the API refuses is refused here
 * too, for the same reason.
 * @param maxCost of the conditions of a filter
 */
export function featureRequestReader(schema: GraphQLSchema, maxCost: number): FeatureRequestReader {
  const types: Readonly<Record<FeatureRequestMember, GraphQLInputType>> = {
    filter: inputType(schema, 'FeatureFilter'),
    orderBy: inputType(schema, 'FeatureOrder'),
    precision: GraphQLInt,
    simplifyM: GraphQLFloat,
    limit: GraphQLInt,
    include: new GraphQLList(GraphQLString),
    crs: GraphQLString,
  };
  return (value, members = FEATURE_REQUEST_MEMBERS) => {
    checkValue(value, 'request');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadInputError(`The request must be a JSON object with any of ${members.join(', ')}.`);
    }
    const coerced = Object.entries(value).map(([name, given]) => {
      const member = members.find((known) => known === name);
      if (member === undefined) {
        throw new BadInputError(
          `Member ${JSON.stringify(name)} does not exist; the members of a request are ${members.join(', ')}.`,
        );
      }
      return [name, coercedMember(types[member], name, given)] as const;
    });
    const { filter, orderBy, ...others } = withoutNulls(Object.fromEntries(coerced)) as {
      filter?: RequestedFilter;
      orderBy?: FeatureOrder;
      precision?: number;
      simplifyM?: number;
      limit?: number;
      include?: readonly string[];
      crs?: string;
    };
    const cost = filterCost(filter);
    if (cost > maxCost) throw new OperationTooCostlyError(cost, maxCost);
    const { limit, precision, simplifyM, include, crs } = others;
    return { filter: filter ?? {}, order: orderBy, limit, precision, simplifyM, include, crs };
  };
}

/** Reads a `SceneFilter` from JSON. @throws {BadInputError} for a value that the schema does not allow */
export type SceneFilterReader = (value: unknown) => SceneFilter;

/** @param maxVertices of the geometry */
export function sceneFilterReader(schema: GraphQLSchema, maxVertices: number): SceneFilterReader {
  const type = inputType(schema, 'SceneFilter');
  return (value) => {
    const coerced = (coercedMember(type, 'filter', value) ?? {}) as { intersects?: object };
    const { intersects, ...others } = withoutNulls(coerced);
    return { ...others, ...(intersects ? { intersects: parseGeometry(intersects, maxVertices) } : {}) };
  };
}

/** A value as an input type of the schema takes it. @throws {BadInputError} */
export function coercedInput(schema: GraphQLSchema, type: string, name: string, value: unknown): unknown {
  checkValue(value, name);
  return coercedMember(inputType(schema, type), name, value);
}

function inputType(schema: GraphQLSchema, name: string): GraphQLInputType {
  const type = schema.getType(name);
  if (!isInputType(type)) throw new TypeError(`The schema has no input ${name}.`);
  return type;
}

function coercedMember(type: GraphQLInputType, name: string, value: unknown): unknown {
  if (value === null) return null;
  return coerceInputValue(value, type, (path, _invalid, { message, originalError }) => {
    const argument = [name, ...path].join('.');
    throw new BadInputError(`${argument}: ${originalError?.message ?? message}`, { details: { argument } });
  });
}
