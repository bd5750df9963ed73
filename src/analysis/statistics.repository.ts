import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { numberTextSql, objectTextSql } from '../database/sql/object-text.ts';
import { conditionPartsSql, conditionSql } from '../feature/feature-condition.repository.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import { unionSql } from '../feature/overlay.repository.ts';
import type {
  ByGroup,
  FeatureGrouping,
  GroupBorders,
  GroupReach,
  GroupTotals,
  StatisticsStore,
  TotalsField,
} from './statistics.ts';

const key = z.array(z.string());
const TotalsRow = z.object({
  key,
  featureCount: z.number(),
  areaM2: z.number().nullable(),
  perimeterM: z.number().nullable(),
  meanProbability: z.number().nullable(),
});
const TextRow = z.object({ text: z.string() });
const QuantilesRow = z.object({ key, value: z.array(z.number()) });
const AreaRow = z.object({ key, value: z.number() });
const BordersRow = z
  .object({ key, touchingPairs: z.number(), sharedBorderM: z.number().nullable() })
  .transform(({ key: group, ...value }) => ({ key: group, value }));
const ReachRow = z
  .object({
    key,
    south: z.number(),
    north: z.number(),
    west: z.number(),
    east: z.number(),
    shiftedWest: z.number(),
    shiftedEast: z.number(),
  })
  .transform(({ key: group, ...value }) => ({ key: group, value }));

/** Columns of a feature that measures are made of. */
const MEASURED = Prisma.sql`
  f.id, f.geometry, f.area_m2, f.perimeter_m, f.pixel_count, f.mean_probability`;

/**
 * Sums over features, made by PostGIS. Every statement reads the features once, by the indexes of the filter's
 * conditions; prompts, models and days come by the primary keys of `segmentation` and `scene`.
 */
export class StatisticsRepository implements StatisticsStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  totals(filter: FeatureFilter, groupBy: readonly FeatureGrouping[], most: number): Promise<GroupTotals[]> {
    return this.database.query(TotalsRow, totalsSql(this.database.scope, filter, groupBy, most));
  }

  async totalsTexts(
    filter: FeatureFilter,
    groupBy: readonly FeatureGrouping[],
    most: number,
    fields: readonly TotalsField[],
  ): Promise<string[]> {
    const object = objectTextSql(fields, ({ name }) => TOTAL_TEXTS[name]);
    const rows = await this.database.query(
      TextRow,
      Prisma.sql`SELECT ${object} AS text FROM (${totalsSql(this.database.scope, filter, groupBy, most)}) AS f`,
    );
    return rows.map(({ text }) => text);
  }

  async areaQuantiles(
    filter: FeatureFilter,
    groupBy: readonly FeatureGrouping[],
    q: readonly number[],
  ): Promise<ByGroup<readonly number[]>> {
    const groups = groupsOf(groupBy);
    const rows = await this.database.query(
      QuantilesRow,
      Prisma.sql`
        SELECT ${groups.key} AS key,
               percentile_cont(${`{${q.join(',')}}`}::text::float8[]) WITHIN GROUP (ORDER BY f.area_m2) AS value
        FROM (${groupedSql(this.database.scope, conditionSql(filter, this.database.scope), groupBy)}) AS f WHERE f.area_m2 IS NOT NULL ${groups.clause}
        HAVING count(*) > 0`,
    );
    return byGroup(rows);
  }

  async unionAreas(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<number>> {
    const groups = groupsOf(groupBy);
    const rows = await this.database.query(
      AreaRow,
      Prisma.sql`
        SELECT ${groups.key} AS key, ground_area_m2(${unionSql(Prisma.sql`f.geometry`)}) AS value
        FROM (${groupedSql(this.database.scope, conditionSql(filter, this.database.scope), groupBy)}) AS f WHERE f.geometry IS NOT NULL ${groups.clause}
        HAVING count(*) > 0`,
    );
    return byGroup(rows);
  }

  /**
   * A pair is in a group when both of its features are: it is found once from either of them, by the primary key of
   * `feature_adjacency` and by `feature_adjacency_b`.
   */
  async borders(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<GroupBorders>> {
    const groups = groupsOf(groupBy);
    const rows = await this.database.query(
      BordersRow,
      Prisma.sql`
        WITH member AS MATERIALIZED (${groupedSql(this.database.scope, conditionSql(filter, this.database.scope), groupBy)}),
        f AS (
          SELECT min(seen.shared_border_m) AS shared_border_m ${groups.columns}
          FROM (
            SELECT pair.feature_a, pair.feature_b, pair.shared_border_m ${groups.columns}
            FROM member JOIN ${this.database.scope.rows('feature_adjacency')} AS pair ON pair.feature_a = member.id AND pair.relation = 'TOUCHES'
            UNION ALL
            SELECT pair.feature_a, pair.feature_b, pair.shared_border_m ${groups.columns}
            FROM member JOIN ${this.database.scope.rows('feature_adjacency')} AS pair ON pair.feature_b = member.id AND pair.relation = 'TOUCHES'
          ) AS seen
          GROUP BY seen.feature_a, seen.feature_b ${groups.columns} HAVING count(*) = 2
        )
        SELECT ${groups.key} AS key, count(*)::float8 AS "touchingPairs", sum(f.shared_border_m) AS "sharedBorderM"
        FROM f ${groups.clause}
        HAVING count(*) > 0`,
    );
    return byGroup(rows);
  }

  async reaches(filter: FeatureFilter, groupBy: readonly FeatureGrouping[]): Promise<ByGroup<GroupReach>> {
    const groups = groupsOf(groupBy);
    const rows = await this.database.query(
      ReachRow,
      Prisma.sql`
        SELECT ${groups.key} AS key, min(ST_YMin(f.geometry)) AS south, max(ST_YMax(f.geometry)) AS north,
               min(ST_XMin(f.geometry)) AS west, max(ST_XMax(f.geometry)) AS east,
               min(ST_XMin(ST_ShiftLongitude(f.geometry))) AS "shiftedWest",
               max(ST_XMax(ST_ShiftLongitude(f.geometry))) AS "shiftedEast"
        FROM (${groupedSql(this.database.scope, conditionSql(filter, this.database.scope), groupBy)}) AS f WHERE f.geometry IS NOT NULL ${groups.clause}
        HAVING count(*) > 0`,
    );
    return byGroup(rows);
  }
}

function totalsSql(scope: Scope, filter: FeatureFilter, groupBy: readonly FeatureGrouping[], most: number): Prisma.Sql {
  const groups = groupsOf(groupBy);
  const parts = conditionPartsSql(filter, scope).map(
    (condition) => Prisma.sql`
      SELECT count(*)::float8 AS feature_count, sum(f.area_m2) AS area_m2, sum(f.perimeter_m) AS perimeter_m,
             sum(f.mean_probability * f.pixel_count) AS probability, sum(f.pixel_count)::float8 AS pixel_count
             ${groups.columns}
      FROM (${groupedSql(scope, condition, groupBy)}) AS f ${groups.clause}`,
  );
  return Prisma.sql`
    SELECT ${groups.key} AS key, sum(f.feature_count) AS "featureCount",
           CASE WHEN sum(f.feature_count) = 0 THEN 0 ELSE sum(f.area_m2) END AS "areaM2",
           CASE WHEN sum(f.feature_count) = 0 THEN 0 ELSE sum(f.perimeter_m) END AS "perimeterM",
           sum(f.probability) / sum(f.pixel_count) AS "meanProbability"
    FROM (${Prisma.join(parts, ' UNION ALL ')}) AS f ${groups.clause}
    ${groups.order} LIMIT ${most}::int`;
}

/** JSON of the columns of {@link totalsSql}. */
const TOTAL_TEXTS: Record<TotalsField['name'], Prisma.Sql> = {
  __typename: Prisma.sql`'"FeatureStatistics"'`,
  key: Prisma.sql`array_to_json(f.key)::text`,
  featureCount: numberTextSql(Prisma.sql`f."featureCount"`),
  areaM2: numberTextSql(Prisma.sql`f."areaM2"`),
  perimeterM: numberTextSql(Prisma.sql`f."perimeterM"`),
  meanProbability: numberTextSql(Prisma.sql`f."meanProbability"`),
};

function byGroup<Value>(rows: readonly { readonly key: string[]; readonly value: Value }[]): ByGroup<Value> {
  return new Map(rows.map((row) => [JSON.stringify(row.key), row.value]));
}

/** Values by which a grouping separates features, and their text in the key. */
interface GroupingSql {
  readonly values: readonly Prisma.Sql[];
  /** @param columns of the values */
  readonly text: (...columns: readonly Prisma.Sql[]) => Prisma.Sql;
}

/** Features `f`, their segmentation `asked`, their scene `seen`. */
const GROUPINGS: Record<FeatureGrouping, GroupingSql> = {
  SCENE: { values: [Prisma.sql`f.scene_id`], text: (id) => Prisma.sql`${id}::text` },
  SEGMENTATION: { values: [Prisma.sql`f.segmentation_id`], text: (id) => Prisma.sql`${id}::text` },
  PROMPT: { values: [Prisma.sql`asked.prompt`], text: (prompt) => prompt },
  MODEL: { values: [Prisma.sql`asked.model_id`], text: (model) => model },
  ACQUIRED_DAY: {
    values: [Prisma.sql`(seen.acquired_at AT TIME ZONE 'UTC')::date`],
    text: (day) => Prisma.sql`COALESCE(to_char(${day}, 'YYYY-MM-DD'), '')`,
  },
  GRID_1KM: gridSql((place) => place),
  GRID_10KM: gridSql((place) => Prisma.sql`floor(${place} / 10.0)::int`),
};

/** A grid of squares in the plane of EPSG:6933, whose areas are those of the ellipsoid. @param cell of a square kilometre */
function gridSql(cell: (place: Prisma.Sql) => Prisma.Sql): GroupingSql {
  return {
    values: [cell(Prisma.sql`f.cell_column`), cell(Prisma.sql`f.cell_row`)],
    text: (x, y) => Prisma.sql`COALESCE(${x} || '/' || ${y}, '')`,
  };
}

/** The features that meet a condition, each with the values of its group in the columns `g0`, `g1`, … */
function groupedSql(scope: Scope, condition: Prisma.Sql, groupBy: readonly FeatureGrouping[]): Prisma.Sql {
  const values = groupBy.flatMap((grouping) => GROUPINGS[grouping].values);
  const columns = values.map((value, index) => Prisma.sql`, ${value} AS ${column(index)}`);
  const asks = (...groupings: FeatureGrouping[]): boolean => groupings.some((one) => groupBy.includes(one));
  return Prisma.sql`
    SELECT ${MEASURED} ${joined(columns, ' ')}
    FROM (SELECT f.* FROM ${scope.rows('feature')} AS f WHERE ${condition}) AS f
    ${asks('PROMPT', 'MODEL') ? Prisma.sql`JOIN ${scope.rows('segmentation')} AS asked ON asked.id = f.segmentation_id` : Prisma.empty}
    ${asks('ACQUIRED_DAY') ? Prisma.sql`JOIN ${scope.rows('scene')} AS seen ON seen.id = f.scene_id` : Prisma.empty}`;
}

/** Parts of a statement over the features `f` of {@link groupedSql}. */
interface GroupsSql {
  /** Text array. */
  readonly key: Prisma.Sql;
  readonly clause: Prisma.Sql;
  readonly order: Prisma.Sql;
  /** Names of the values, each behind a comma. */
  readonly columns: Prisma.Sql;
}

function groupsOf(groupBy: readonly FeatureGrouping[]): GroupsSql {
  const names: Prisma.Sql[] = [];
  const texts = groupBy.map((grouping) => {
    const { values, text } = GROUPINGS[grouping];
    const own = values.map((_, index) => Prisma.sql`f.${column(names.length + index)}`);
    names.push(...own);
    return text(...own);
  });
  const none = names.length === 0;
  return {
    key: Prisma.sql`ARRAY[${joined(texts, ', ')}]::text[]`,
    clause: none ? Prisma.empty : Prisma.sql`GROUP BY ${joined(names, ', ')}`,
    order: none ? Prisma.empty : Prisma.sql`ORDER BY ${joined(names, ', ')}`,
    columns: joined(
      names.map((_, index) => Prisma.sql`, ${column(index)}`),
      ' ',
    ),
  };
}

function column(index: number): Prisma.Sql {
  return Prisma.raw(`g${index}`);
}

/** As `Prisma.join`, which refuses an empty list. */
function joined(parts: readonly Prisma.Sql[], separator: string): Prisma.Sql {
  return parts.length === 0 ? Prisma.empty : Prisma.join([...parts], separator);
}
