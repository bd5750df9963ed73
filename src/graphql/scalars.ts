import { GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';
import { parseInstant } from '../calendar-time.ts';
import { BadInputError } from '../errors.ts';

function describeValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' ? parseInstant(value) : null;
  if (date) return date;
  throw new BadInputError(
    `DateTime ${describeValue(value)} is not an ISO 8601 date, or date and time with an offset, in the years 1 to 9999.`,
  );
}

/** An instant. In: ISO 8601 with an offset, or a date (midnight UTC). Out: ISO 8601 in UTC. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An ISO 8601 instant. Answers are in UTC; requests give an offset, or a date (midnight UTC).',
  serialize: (value) => (value instanceof Date ? value : parseDateTime(value)).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : null),
});

function parseObject(value: unknown, expected = 'geometry'): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadInputError(`${describeValue(value)} is not a GeoJSON ${expected} object.`);
  }
  return value;
}

/**
 * An RFC 7946 geometry, WGS 84 longitude and latitude. What it holds is checked where it is used, with the vertex limit
 * at hand. Geometry of a scene without georeference is in pixels of the scene frame.
 */
export const GeoJSONGeometryScalar = new GraphQLScalarType<object, unknown>({
  name: 'GeoJSONGeometry',
  description: 'RFC 7946 geometry in WGS 84 longitude and latitude, or in pixels for a scene without georeference.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc7946#section-3.1',
  serialize: (value) => value,
  parseValue: (value) => parseObject(value),
  parseLiteral: (node, variables) => parseObject(valueFromASTUntyped(node, variables)),
});

/** An RFC 7946 feature collection. What a client sends is checked where it is used. */
export const GeoJSONFeatureCollectionScalar = new GraphQLScalarType<object, unknown>({
  name: 'GeoJSONFeatureCollection',
  description: 'RFC 7946 feature collection in WGS 84 longitude and latitude.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc7946#section-3.3',
  serialize: (value) => value,
  parseValue: (value) => parseObject(value, 'feature collection'),
  parseLiteral: (node, variables) => parseObject(valueFromASTUntyped(node, variables), 'feature collection'),
});

/** Any JSON value; each field documents what it holds. */
export const JSONScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
