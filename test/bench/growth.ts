/**
 * How a table of features grows: `DATABASE_URL=postgresql://… npm run bench -- growth [features] [features of a scene]`, 10 million
 * in scenes of 10,000 unless it says otherwise, which takes some 30 GB.
 *
 * Fills a database of its own, first a tenth and then the rest, and at both sizes plans and times what clients ask most. Prints
 * the index that each question uses at both sizes, the time of the fastest of some repetitions, the size of the table and of
 * each index in bytes a feature, how fast rows go in beside all indexes, and what deleting a tenth of the scenes and VACUUM come
 * to. Ends with 1 where a question reads the whole table at the full size.
 */
import { z } from 'zod';
import { StatisticsRepository } from '../../src/analysis/statistics.repository.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { indexesOf, plansDuring, scansFeature } from '../database/explained-database.ts';
import { runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

const [FEATURES = 10_000_000, OF_A_SCENE = 10_000] = process.argv.slice(2).map(Number);
const REPETITIONS = 5;
/** Scenes lie in rows of so many, each a square of 0.1 degrees. */
const SCENES_IN_A_ROW = 300;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Scenes with an answer of octagons on a grid, in order of their numbers. */
async function addScenes(
  database: Database,
  template: { scene: string; segmentation: string },
  from: number,
  to: number,
) {
  const columns = (table: string, own: string): Prisma.Sql =>
    Prisma.raw(`(SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0
      AND NOT attisdropped AND attgenerated = '' AND attname <> ALL ('{${own}}'))`);
  const Names = z.object({ scene: z.string(), segmentation: z.string() });
  const [names] = await database.query(
    Names,
    Prisma.sql`SELECT ${columns('scene', 'id,acquired_at')} AS scene, ${columns('segmentation', 'id,scene_id,prompt,identity,answer_number,state,worker,finished_at,feature_count,target_found')} AS segmentation`,
  );
  const [scene, segmentation] = [Prisma.raw(names!.scene), Prisma.raw(names!.segmentation)];
  const id = (kind: number): Prisma.Sql =>
    Prisma.raw(`('0190000${kind}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`);
  await database.execute(Prisma.sql`
    INSERT INTO scene (id, acquired_at, ${scene})
    SELECT ${id(1)}, timestamptz '2010-01-01Z' + n * interval '1 hour', ${scene}
    FROM scene CROSS JOIN generate_series(${from}::int, ${to - 1}::int) AS n WHERE id = ${template.scene}::uuid`);
  await database.execute(Prisma.sql`
    INSERT INTO segmentation (id, scene_id, prompt, answer_number, state, finished_at, feature_count, target_found, ${segmentation})
    SELECT ${id(2)}, ${id(1)}, 'prompt ' || n % 50, 1, 'SUCCEEDED', timestamptz '2020-01-01Z' + n * interval '1 hour', ${OF_A_SCENE}::int, true, ${segmentation}
    FROM segmentation CROSS JOIN generate_series(${from}::int, ${to - 1}::int) AS n WHERE id = ${template.segmentation}::uuid`);
  const side = Math.ceil(Math.sqrt(OF_A_SCENE));
  for (let n = from; n < to; n++) {
    await database.execute(Prisma.sql`
      INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness, elongation,
                           pixel_count, mean_probability, max_probability)
      SELECT gen_random_uuid(), ${Prisma.raw(`('01900001-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`)},
             ${Prisma.raw(`('01900002-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`)}, i, outline, point,
             (size * 1e5) ^ 2, 4 * size * 1e5, 0.5 + random() / 2, random(), 100, random(), 0.5 + random() / 2
      FROM generate_series(1, ${OF_A_SCENE}::int) AS i,
           LATERAL (SELECT 0.1 * (0.2 + random() * 0.2) / ${side}::int AS size,
                    ST_SetSRID(ST_MakePoint(-150 + ${n % SCENES_IN_A_ROW} * 0.1 + (i % ${side}::int + 0.5) * 0.1 / ${side}::int,
                      -60 + ${Math.floor(n / SCENES_IN_A_ROW)} * 0.1 + (i / ${side}::int + 0.5) * 0.1 / ${side}::int), 4326) AS point) AS p,
           LATERAL (SELECT ST_Buffer(point, size, 2) AS outline) AS o`);
  }
}

const middle = (scenes: number): [number, number] => [
  -150 + (Math.floor(Math.min(scenes, SCENES_IN_A_ROW) / 2) + 0.5) * 0.1,
  -60 + (Math.floor(scenes / SCENES_IN_A_ROW / 2) + 0.5) * 0.1,
];

type Question = (on: Database, scenes: number) => Promise<unknown>;
const around = (scenes: number, degrees: number): [number, number, number, number] => {
  const [x, y] = middle(scenes);
  return [x - degrees, y - degrees, x + degrees, y + degrees];
};
const first = { first: 100 };
const QUESTIONS: Readonly<Record<string, Question>> = {
  'a box of 1 km²': (on, n) =>
    new FeatureRepository(on).find({ bbox: around(n, 0.005) }, { by: 'AREA', direction: 'DESC' }, first),
  'a box of 100 km², counted': (on, n) => new FeatureRepository(on).count({ bbox: around(n, 0.05) }),
  'the nearest within 2 km': (on, n) =>
    new FeatureRepository(on).find(
      { near: { geometry: { type: 'Point', coordinates: middle(n) }, withinM: 2000 } },
      { by: 'DISTANCE', direction: 'ASC' },
      first,
    ),
  'the largest of all': (on) => new FeatureRepository(on).find({}, { by: 'AREA', direction: 'DESC' }, first),
  'the newest of all': (on) => new FeatureRepository(on).find({}, { by: 'CREATED', direction: 'DESC' }, first),
  'of one prompt, the largest': (on) =>
    new FeatureRepository(on).find({ prompt: 'prompt 7' }, { by: 'AREA', direction: 'DESC' }, first),
  'of one scene': (on) =>
    new FeatureRepository(on).find(
      { sceneId: '01900001-0000-7000-8000-000000000003' },
      { by: 'AREA', direction: 'DESC' },
      first,
    ),
  'stored in one hour': (on) =>
    new FeatureRepository(on).find(
      { created: { from: new Date('2020-01-01T03:00:00Z'), to: new Date('2020-01-01T03:30:00Z') } },
      { by: 'AREA', direction: 'DESC' },
      first,
    ),
  'changed since yesterday': (on) =>
    new FeatureRepository(on).find(
      { updated: { from: new Date(Date.now() - 86_400_000) } },
      { by: 'CREATED', direction: 'ASC' },
      first,
    ),
  'sums by cell of 1 km, 100 km²': (on, n) =>
    new StatisticsRepository(on).totals({ bbox: around(n, 0.05) }, ['GRID_1KM'], 1000),
  'neighbours of a feature': async (on) =>
    new FeatureRepository(on).neighbours([await someFeature()], { reachM: 50 }, { first: 9 }),
};

const IdRow = z.object({ id: z.string() });
let some: string | null = null;
async function someFeature(): Promise<string> {
  some ??= (
    await database.query(
      IdRow,
      Prisma.sql`SELECT id FROM feature WHERE segmentation_id = '01900002-0000-7000-8000-000000000003'::uuid LIMIT 1`,
    )
  )[0]!.id;
  return some;
}

interface Answer {
  readonly indexes: string;
  readonly scans: boolean;
  readonly ms: number;
}

async function ask(question: Question, scenes: number): Promise<Answer> {
  const plans = await plansDuring(database, (explained) => question(explained, scenes));
  const times: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    times.push(await timed(() => question(database, scenes)));
    if (times[0]! > 20_000) break;
  }
  const indexes = [...new Set(indexesOf(plans))].filter((name) => name.startsWith('feature')).toSorted();
  return {
    indexes: indexes.join(', ') || 'none',
    scans: plans.some(scansFeature),
    ms: Math.min(...times),
  };
}

async function sizes(): Promise<void> {
  const SizeRow = z.object({ name: z.string(), bytes: z.number() });
  const rows = await database.query(
    SizeRow,
    Prisma.sql`
      SELECT 'table' AS name, pg_table_size('feature')::float8 AS bytes UNION ALL
      SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)::float8 FROM pg_index WHERE indrelid = 'feature'::regclass
      ORDER BY 2 DESC`,
  );
  for (const { name, bytes } of rows) say(`| ${name} | ${mib(bytes)} | ${(bytes / FEATURES).toFixed(0)} |`);
  const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  say(`| all | ${mib(total)} | ${(total / FEATURES).toFixed(0)} |`);
}

if (!process.env['DATABASE_URL']) throw new Error('set DATABASE_URL to a PostgreSQL server with PostGIS');
const database = await openTestDatabase();
try {
  const { scene, segmentation } = await runningSegmentation(database, { footprint: null });
  const template = { scene: scene.id, segmentation: segmentation.id };
  await database.asOwner(async (query) => {
    for (const table of ['scene', 'segmentation', 'feature']) await query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  });
  const all = Math.round(FEATURES / OF_A_SCENE);
  const tenth = Math.max(5, Math.round(all / 10));
  const answers: Record<string, Answer>[] = [];
  for (const [from, to] of [
    [0, tenth],
    [tenth, all],
  ] as const) {
    const ms = await timed(() => addScenes(database, template, from, to));
    say(
      `${to * OF_A_SCENE} features; ${Math.round(((to - from) * OF_A_SCENE) / (ms / 1000))} rows/s beside all indexes`,
    );
    say(
      `VACUUM ANALYZE: ${((await timed(() => database.execute(Prisma.sql`VACUUM ANALYZE feature`))) / 1000).toFixed(1)} s`,
    );
    await database.execute(Prisma.sql`ANALYZE scene, segmentation`);
    const round: Record<string, Answer> = {};
    for (const [name, question] of Object.entries(QUESTIONS)) round[name] = await ask(question, to);
    answers.push(round);
  }
  const [small, large] = answers as [Record<string, Answer>, Record<string, Answer>];
  say(`\n| question | ${tenth * OF_A_SCENE}, ms | ${all * OF_A_SCENE}, ms | indexes |\n|---|--:|--:|---|`);
  for (const [name, { indexes, ms, scans }] of Object.entries(large)) {
    const before = small[name]!;
    const same = before.indexes === indexes ? indexes : `${before.indexes}, then ${indexes}`;
    say(`| ${name} | ${before.ms.toFixed(1)} | ${ms.toFixed(1)} | ${same}${scans ? ', **whole table**' : ''} |`);
    if (scans) process.exitCode = 1;
  }
  say('\n| of `feature` | size | bytes a feature |\n|---|--:|--:|');
  await sizes();
  const deletedMs = await timed(() =>
    database.execute(
      Prisma.sql`DELETE FROM scene WHERE id < ${`01900001-0000-7000-8000-${tenth.toString(16).padStart(12, '0')}`}::uuid`,
    ),
  );
  say(`\nDeleting ${tenth} scenes: ${(deletedMs / 1000).toFixed(1)} s, ${(deletedMs / tenth).toFixed(0)} ms a scene`);
  say(`VACUUM: ${((await timed(() => database.execute(Prisma.sql`VACUUM feature`))) / 1000).toFixed(1)} s`);
  const again = await timed(() => addScenes(database, template, all, all + tenth));
  say(`As many again: ${Math.round((tenth * OF_A_SCENE) / (again / 1000))} rows/s; then`);
  await sizes();
} finally {
  await database.close();
}
