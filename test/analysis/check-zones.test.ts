import { expect, it } from 'vitest';
import { checkZones } from '../../src/analysis/check-zones.ts';
import { box } from '../database/seeds.ts';

const crs = { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3857' } };
const member = { type: 'Feature', properties: {}, geometry: box(10, 50, 11, 51) };

it.each([
  ['a collection', { type: 'FeatureCollection', crs, features: [member] }, 'zones.collection has a crs member'],
  ['a feature', { type: 'FeatureCollection', features: [member, { ...member, crs }] }, 'Zone 1 has a crs member'],
  [
    'a geometry',
    { type: 'FeatureCollection', features: [{ ...member, geometry: { ...member.geometry, crs } }] },
    'The geometry has a crs member',
  ],
])('refuses a CRS that is named by %s', (_what, collection, message) => {
  expect(() => checkZones({ collection }, 100)).toThrow(
    expect.objectContaining({ code: 'INVALID_GEOMETRY', message: expect.stringContaining(message) }),
  );
});
