import { geoJSONToWkt } from 'betterknown';
import type { AttributeCondition, Condition, PlaceCondition, PlacePredicate } from '../cql2/condition.ts';
import { attributeConditionSql } from '../database/sql/attribute-condition.ts';
import { Prisma } from '../database/database.ts';
import { validSql } from '../database/sql/valid-geometry.ts';
import { boxGeometry } from '../geojson-box.ts';
import type { SceneAttributeName } from './scene-attributes.ts';

const COLUMNS: Readonly<Record<SceneAttributeName, Prisma.Sql>> = {
  id: Prisma.sql`scene.id::text`,
  name: Prisma.sql`scene.name`,
  sha256: Prisma.sql`scene.sha256`,
  widthPx: Prisma.sql`scene.width_px::float8`,
  heightPx: Prisma.sql`scene.height_px::float8`,
  bands: Prisma.sql`scene.bands::float8`,
  dtype: Prisma.sql`scene.dtype`,
  nativeCrs: Prisma.sql`scene.crs`,
  gsdM: Prisma.sql`scene.gsd_m`,
  areaM2: Prisma.sql`scene.area_m2`,
  acquiredAt: Prisma.sql`scene.acquired_at`,
  createdAt: Prisma.sql`scene.created_at`,
};

const PREDICATES: Readonly<Record<PlacePredicate, Prisma.Sql>> = {
  intersects: Prisma.sql`ST_Intersects`,
  equals: Prisma.sql`ST_Equals`,
  disjoint: Prisma.sql`ST_Disjoint`,
  touches: Prisma.sql`ST_Touches`,
  within: Prisma.sql`ST_Within`,
  overlaps: Prisma.sql`ST_Overlaps`,
  crosses: Prisma.sql`ST_Crosses`,
  contains: Prisma.sql`ST_Contains`,
};

/** A condition on a row of `scene`. Places use `scene_footprint_gist`. */
export function sceneConditionSql(condition: Condition): Prisma.Sql {
  if ('all' in condition) return joined(condition.all, ' AND ', Prisma.sql`TRUE`);
  if ('any' in condition) return joined(condition.any, ' OR ', Prisma.sql`FALSE`);
  if ('predicate' in condition) return placeSql(condition);
  if ('hasGeometry' in condition) {
    return condition.hasGeometry ? Prisma.sql`scene.footprint IS NOT NULL` : Prisma.sql`scene.footprint IS NULL`;
  }
  return attributesSql(condition);
}

function joined(conditions: readonly Condition[], by: string, empty: Prisma.Sql): Prisma.Sql {
  return conditions.length === 0 ? empty : Prisma.sql`(${Prisma.join(conditions.map(sceneConditionSql), by)})`;
}

function attributesSql(condition: AttributeCondition): Prisma.Sql {
  return attributeConditionSql(condition, (name) => COLUMNS[name as SceneAttributeName]);
}

function placeSql({ predicate, geometry, negated }: PlaceCondition): Prisma.Sql {
  const other = 'type' in geometry ? geometry : boxGeometry(geometry);
  const place = validSql(Prisma.sql`ST_GeomFromText(${geoJSONToWkt(other)}::text, 4326)`);
  const met = Prisma.sql`${PREDICATES[predicate]}(scene.footprint, ${place})`;
  return negated ? Prisma.sql`(NOT ${met})` : met;
}
