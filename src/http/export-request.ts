import { coerceInputValue, type GraphQLInputType, GraphQLInt, type GraphQLSchema, isInputType } from 'graphql';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import { withoutNulls } from '../graphql/absent-null.ts';
import { BadInputError } from '../errors.ts';
import type { ExportRequestReader } from '../export/export-request.ts';

/**
 * Reads `{ filter, orderBy, precision, limit }`, all optional: the arguments of `featureCollection`, with the types that
 * the schema has for them, so that what the API refuses is refused here too.
 */
export function exportRequestReader(schema: GraphQLSchema): ExportRequestReader {
  const types: Readonly<Record<string, GraphQLInputType>> = {
    filter: inputType(schema, 'FeatureFilter'),
    orderBy: inputType(schema, 'FeatureOrder'),
    precision: GraphQLInt,
    limit: GraphQLInt,
  };
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadInputError(`the request must be a JSON object with any of ${Object.keys(types).join(', ')}`);
    }
    const { filter, orderBy, precision, limit } = withoutNulls(
      Object.fromEntries(Object.entries(value).map(([name, member]) => [name, coerced(types, name, member)])),
    ) as { filter?: RequestedFilter; orderBy?: FeatureOrder; precision?: number; limit?: number };
    return { filter: filter ?? {}, order: orderBy, limit, precision };
  };
}

function inputType(schema: GraphQLSchema, name: string): GraphQLInputType {
  const type = schema.getType(name);
  if (!isInputType(type)) throw new TypeError(`the schema has no input ${name}`);
  return type;
}

function coerced(types: Readonly<Record<string, GraphQLInputType>>, name: string, value: unknown): unknown {
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (!type) {
    throw new BadInputError(`a request has no member ${JSON.stringify(name)}; it has ${Object.keys(types).join(', ')}`);
  }
  if (value === null) return null;
  return coerceInputValue(value, type, (path, _invalid, { message, originalError }) => {
    throw new BadInputError(`${[name, ...path].join('.')}: ${originalError?.message ?? message}`);
  });
}
