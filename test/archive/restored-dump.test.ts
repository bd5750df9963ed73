import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, it } from 'vitest';
import { DeletionRepository } from '../../src/retention/deletion.repository.ts';
import { EventRepository } from '../../src/event/event.repository.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { storeFeatures } from '../feature/stored-features.ts';

const run = promisify(execFile);
const url = process.env['DATABASE_URL'];

/** Runs work with a database of its own on the server. */
async function withServerDatabase(work: (href: string) => Promise<void>): Promise<void> {
  const name = `terraql_restore_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  const own = new URL(url!);
  own.pathname = `/${name}`;
  try {
    await work(own.href);
  } finally {
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await client.end();
  }
}

async function withDatabase(databaseUrl: string, work: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase({ databaseUrl, dataDir: '' });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

const types = async (database: Database): Promise<string[]> =>
  (
    await new EventRepository(database).after({ transaction: '0', id: 0 }, ['scene.registered', 'features.added'], 100)
  ).map(({ type, objectId }) => `${type} ${objectId}`);

it.skipIf(!url)(
  'a dump of pg_dump that is restored on a server with fewer transactions answers as before',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-dump-'));
    const dump = path.join(folder, 'rows.dump');
    let before: string[] = [];
    let told: string[] = [];
    await withServerDatabase(async (href) => {
      await withDatabase(href, async (database) => {
        const { names } = await storeFeatures(database);
        before = [...names.keys()].toSorted();
        const [feature] = before;
        await database.asOwner((query) => query('DELETE FROM feature WHERE id = $1', [feature]));
        before.shift();
        told = await types(database);
        // Numbers of a server that has been running for longer.
        for (const table of ['event', 'deletion']) {
          await database.asOwner((query) =>
            query(`UPDATE ${table} SET transaction = (transaction::text::bigint + 1000000000)::text::xid8`),
          );
        }
      });
      await run('pg_dump', ['-Fc', '-f', dump, href]);
    });
    await withServerDatabase(async (href) => {
      await run('pg_restore', ['--exit-on-error', '-d', href, dump]);
      await withDatabase(href, async (database) => {
        const features = new FeatureRepository(database);
        const { edges } = await features.find({}, { by: 'CREATED', direction: 'ASC' }, { first: 100 });
        expect(edges.map(({ node }) => node.id).toSorted()).toEqual(before);
        expect((await types(database)).toSorted()).toEqual(told.toSorted());
        const deletions = new DeletionRepository(database);
        expect(await deletions.after(new Date(0), 10)).toHaveLength(1);
        // What happens now is behind it.
        const end = await deletions.end();
        await database.asOwner((query) => query('DELETE FROM scene'));
        expect((await deletions.after(end, 10)).map(({ kind }) => kind)).toContain('SCENE');
      });
    });
    await rm(folder, { recursive: true });
  },
);
