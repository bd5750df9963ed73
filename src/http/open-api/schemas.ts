import type { GraphQLSchema } from 'graphql';
import { inputSchemas } from './input-schema.ts';
import { reference, type Schema } from './operation.ts';

const text: Schema = { type: 'string' };
const object = (properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  required,
  properties,
});
const list = (items: Schema, minItems = 0): Schema => ({ type: 'array', items, ...(minItems ? { minItems } : {}) });

const POSITION = list({ type: 'number' }, 2);
const RING = list(POSITION, 4);
const COORDINATES: Readonly<Record<string, Schema>> = {
  Point: POSITION,
  MultiPoint: list(POSITION),
  LineString: list(POSITION, 2),
  MultiLineString: list(list(POSITION, 2)),
  Polygon: list(RING),
  MultiPolygon: list(list(RING)),
};
/** @see RFC 7946, section 3.1 */
const GEOMETRY: Schema = {
  description: 'RFC 7946 geometry in WGS 84 longitude and latitude.',
  anyOf: Object.entries(COORDINATES).map(([type, coordinates]) => object({ type: { const: type }, coordinates })),
};

/** Bodies that are not types of GraphQL. */
const BODIES: Readonly<Record<string, Schema>> = {
  Error: object({
    error: object(
      {
        code: { ...text, description: 'Stable, in capitals; docs/errors.md and the query errorCodes list them.' },
        message: { ...text, description: 'For people; may change.' },
      },
      ['code', 'message'],
    ),
  }),
  GraphQLRequest: object(
    {
      query: text,
      operationName: { type: ['string', 'null'] },
      variables: { type: ['object', 'null'] },
      extensions: { type: ['object', 'null'] },
    },
    [],
  ),
  GraphQLAnswer: object(
    {
      data: { type: ['object', 'null'] },
      errors: list(
        object({ message: text, extensions: object({ code: text, retryable: { type: 'boolean' } }, ['code']) }, [
          'message',
        ]),
      ),
      extensions: { type: 'object' },
    },
    [],
  ),
  Health: object({ ok: { const: true } }),
  Readiness: object({ database: { type: 'boolean' }, model: { type: 'boolean' } }),
  TileJson: object({
    tilejson: { const: '3.0.0' },
    name: text,
    tiles: list(text, 1),
    minzoom: { type: 'integer' },
    maxzoom: { type: 'integer' },
    bounds: list({ type: 'number' }, 4),
  }),
  Workspace: object({ id: text, name: text }),
  GeoJSONGeometry: GEOMETRY,
};

/** Types of GraphQL that routes read too. */
const INPUTS = ['FeatureFilter', 'FeatureOrder', 'SceneFilter', 'SegmentInput'] as const;

/** Every schema that operations refer to, but for those of the standards. */
export function bodySchemas(schema: GraphQLSchema): Record<string, Schema> {
  const { SegmentInput, ...inputs } = inputSchemas(schema, INPUTS);
  const { prompts: _prompts, ...question } = SegmentInput!['properties'] as Record<string, Schema>;
  return {
    ...BODIES,
    ...inputs,
    FeatureRequest: {
      ...object(
        {
          filter: reference('FeatureFilter'),
          orderBy: reference('FeatureOrder'),
          precision: { type: 'integer' },
          simplifyM: { type: 'number' },
          limit: { type: 'integer' },
          include: { type: 'array', items: { type: 'string' } },
          crs: { type: 'string' },
        },
        [],
      ),
      additionalProperties: false,
    },
    Execution: object(
      {
        inputs: {
          ...object({ prompt: { ...text, description: 'Question in plain words.' }, ...question }, [
            'sceneId',
            'prompt',
          ]),
          additionalProperties: false,
        },
      },
      ['inputs'],
    ),
  };
}
