import type { Condition } from '../cql2/condition.ts';
import { repairable } from '../geojson-crossings.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { SCENE_ATTRIBUTES } from '../scene/scene-attributes.ts';
import type { Scene } from '../scene/scene.ts';
import type { Services } from '../services.ts';
import { asGeometry } from './crs.ts';
import { InvalidOgcParameterError } from './errors.ts';
import type { Item, ItemCollection } from './item-collection.ts';

/** The registered images, newest first. */
export function sceneCollection(services: Pick<Services, 'scenes'>, maxVertices: number): ItemCollection {
  return {
    id: 'scenes',
    title: 'Scenes',
    description: 'Registered images with their footprints, newest first.',
    tilesQuery: null,
    properties: SCENE_ATTRIBUTES,
    geometryDoc: 'Footprint of the image on the ground; null without georeference.',
    async page({ condition, place, time, limit, after }) {
      const found = await services.scenes.list(
        {
          ...(condition ? { condition: checkedCondition(condition, maxVertices) } : {}),
          ...(place ? { intersects: repairable(parseGeometry(asGeometry(place), maxVertices)) } : {}),
          ...(time
            ? { acquired: { ...(time.from ? { from: time.from } : {}), ...(time.to ? { to: time.to } : {}) } }
            : {}),
        },
        { first: limit, after },
      );
      return {
        items: found.edges.map(({ node }) => itemOf(node)),
        next: found.hasNextPage ? found.edges.at(-1)!.cursor : null,
        numberMatched: found.totalCount,
      };
    },
    async item(id) {
      const scene = await services.scenes.byId(id);
      return scene && itemOf(scene);
    },
  };
}

function itemOf(scene: Scene): Item {
  const properties = Object.fromEntries(
    SCENE_ATTRIBUTES.filter(({ name }) => name !== 'id').map(({ name, of }) => [name, of(scene)]),
  );
  return {
    geometry: JSON.stringify(scene.footprint),
    text: (geometry) =>
      `{"type":"Feature","id":"${scene.id}","geometry":${geometry},"properties":${JSON.stringify(properties)}}`,
  };
}

/** The condition with its geometries checked. @throws {InvalidGeometryError | InvalidOgcParameterError} */
export function checkedCondition(condition: Condition, maxVertices: number): Condition {
  if ('all' in condition) return { all: condition.all.map((one) => checkedCondition(one, maxVertices)) };
  if ('any' in condition) return { any: condition.any.map((one) => checkedCondition(one, maxVertices)) };
  if (!('predicate' in condition)) return condition;
  const geometry = repairable(parseGeometry(asGeometry(condition.geometry), maxVertices));
  if (geometry.type === 'GeometryCollection') {
    throw new InvalidOgcParameterError(
      'A filter on scenes does not support GeometryCollection; give its members one by one.',
    );
  }
  return { ...condition, geometry };
}
