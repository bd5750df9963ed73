import type { ItemCollection, ItemProperty } from './item-collection.ts';

type Described = Pick<ItemCollection, 'title' | 'description' | 'properties' | 'geometryDoc'>;

const TYPES: Readonly<Record<ItemProperty['kind'], object>> = {
  TEXT: { type: 'string' },
  REAL: { type: 'number' },
  COUNT: { type: 'integer', minimum: 0 },
  TIME: { type: 'string', format: 'date-time' },
};

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

function propertySchema({ name, kind, unit, doc }: ItemProperty): object {
  return { title: name, description: doc, ...TYPES[kind], ...(unit === null ? {} : { 'x-ogc-unit': unit }) };
}

/**
 * What a filter may name, as JSON schema.
 * @see OGC 19-079r2, clause 6, and OGC 23-058r1 (Part 5), clause 8
 */
export function queryablesSchema(id: string, { title, properties, geometryDoc }: Described): object {
  return {
    $schema: DRAFT,
    $id: id,
    type: 'object',
    title: `Queryables of ${title}`,
    properties: {
      geometry: { description: geometryDoc, format: 'geometry-any' },
      ...Object.fromEntries(properties.map((property) => [property.name, propertySchema(property)])),
    },
    additionalProperties: false,
  };
}

/**
 * What an item consists of, as JSON schema.
 * @see OGC 23-058r1 (Part 5), clause 7
 */
export function itemSchema(id: string, { title, description, properties, geometryDoc }: Described): object {
  const role = ({ name }: ItemProperty): object =>
    name === 'id' ? { 'x-ogc-role': 'id' } : name === 'acquiredAt' ? { 'x-ogc-role': 'primary-instant' } : {};
  return {
    $schema: DRAFT,
    $id: id,
    type: 'object',
    title,
    description,
    properties: {
      geometry: { description: geometryDoc, format: 'geometry-any', 'x-ogc-role': 'primary-geometry' },
      ...Object.fromEntries(
        properties.map((property, index) => [
          property.name,
          { ...propertySchema(property), 'x-ogc-propertySeq': index + 1, readOnly: true, ...role(property) },
        ]),
      ),
    },
    additionalProperties: false,
  };
}
