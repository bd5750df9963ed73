import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isInterfaceType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';

const schema = buildSchema();

/** Everything that a client can name, with its description: `Type`, `Type.field`, `Type.field(argument)`, `Enum.VALUE`. */
function* described(type: GraphQLNamedType): Generator<readonly [name: string, description: string]> {
  yield [type.name, type.description ?? ''];
  if (isEnumType(type))
    for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value.description ?? ''];
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field.description ?? ''];
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return;
  for (const field of Object.values(type.getFields())) {
    yield [`${type.name}.${field.name}`, field.description ?? ''];
    for (const argument of field.args)
      yield [`${type.name}.${field.name}(${argument.name})`, argument.description ?? ''];
  }
}

const own = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);
const all = own.flatMap((type) => [...described(type)]);

describe('descriptions in the schema', () => {
  it('are there for every type, field, argument, enum value and input', () => {
    expect(all.length).toBeGreaterThan(200);
    expect(all.filter(([, text]) => text.trim() === '').map(([name]) => name)).toEqual([]);
  });

  it('are sentences or noun phrases that begin with a capital, a digit or code, and end with a full stop', () => {
    expect(all.filter(([, text]) => text !== '' && !/^[A-Z0-9`[].*[.)\]]$/s.test(text))).toEqual([]);
  });
});
