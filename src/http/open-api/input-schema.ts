import {
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import type { Schema } from './operation.ts';
import { reference } from './operation.ts';

const SCALARS: Readonly<Record<string, Schema>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Int: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  JSON: {},
  GeoJSONGeometry: reference('GeoJSONGeometry'),
};

/**
 * JSON Schemas of input types of the GraphQL schema, and of those that they are made of, by name: routes outside GraphQL
 * read their bodies and parameters with the same types.
 */
export function inputSchemas(schema: GraphQLSchema, names: readonly string[]): Record<string, Schema> {
  const made = new Map<string, Schema>();
  const add = (name: string): void => {
    if (made.has(name)) return;
    const type = schema.getType(name);
    if (isEnumType(type)) {
      made.set(name, { type: 'string', enum: type.getValues().map((value) => value.name), ...described(type) });
    } else if (isInputObjectType(type)) {
      made.set(name, {});
      const fields = Object.values(type.getFields());
      const required = fields.filter((field) => isNonNullType(field.type) && field.defaultValue === undefined);
      made.set(name, {
        type: 'object',
        ...described(type),
        properties: Object.fromEntries(
          fields.map((field) => [field.name, { ...described(field), ...schemaOf(field.type) }]),
        ),
        ...(required.length > 0 ? { required: required.map((field) => field.name) } : {}),
        ...(type.isOneOf ? { minProperties: 1, maxProperties: 1 } : {}),
        additionalProperties: false,
      });
    } else throw new TypeError(`The schema has no input ${name}.`);
  };
  const schemaOf = (type: GraphQLInputType): Schema =>
    isNonNullType(type) ? present(type) : { anyOf: [present(type), { type: 'null' }] };
  const present = (type: GraphQLInputType): Schema => {
    if (isNonNullType(type)) return present(type.ofType);
    if (isListType(type)) return { type: 'array', items: schemaOf(type.ofType) };
    const scalar = SCALARS[type.name];
    if (scalar) return scalar;
    add(type.name);
    return reference(type.name);
  };
  names.forEach(add);
  return Object.fromEntries(made);
}

const described = ({ description }: { readonly description?: string | null | undefined }): Schema =>
  description ? { description } : {};
