import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { postgis } from '@electric-sql/pglite-postgis';

/** Extensions that the migrations need. */
export interface EmbeddedExtensions {
  readonly postgis: typeof postgis;
  readonly pg_trgm: typeof pg_trgm;
}

/** Of PostGIS: the vector library, the script that creates the extension, and PROJ's data. */
const NEEDED = /^lib\/postgresql\/postgis-3\.so$|^share\/proj\/|\/extension\/postgis(--[\d.]+)?\.(control|sql)$|\/$/;

/**
 * Makes the bundle of PostGIS that an engine needs, once. An engine unpacks all of its bundle at each start, and compiles each
 * library in it: of the package that is raster and topology too, and scripts of upgrades; two thirds of the time and memory.
 * @param folder kept from one start to the next; made when it is missing
 * @returns path of the bundle
 */
export async function postgisBundle(folder: string): Promise<string> {
  const shipped = path.join(
    createRequire(import.meta.url).resolve('@electric-sql/pglite-postgis'),
    '../postgis.tar.gz',
  );
  const file = path.join(folder, `postgis-vector-${(await stat(shipped)).size}.tar.gz`);
  if (existsSync(file)) return file;
  const tar = await promisify(gunzip)(await readFile(shipped));
  // The engine unpacks gzip alone; to store is quickest.
  const bundle = await promisify(gzip)(keepEntries(tar, NEEDED), { level: 0 });
  await mkdir(folder, { recursive: true });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, bundle);
  await rename(partial, file);
  return file;
}

/** @param bundle path of {@link postgisBundle} */
export function embeddedExtensions(bundle: string): EmbeddedExtensions {
  const setup: typeof postgis.setup = async (engine, options) => ({
    ...(await postgis.setup(engine, options)),
    bundlePath: pathToFileURL(bundle),
  });
  return { postgis: { ...postgis, setup }, pg_trgm };
}

const BLOCK = 512;

/**
 * A tar archive with those entries alone whose path matches.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar Interchange Format)
 */
function keepEntries(tar: Buffer, wanted: RegExp): Buffer {
  const field = (from: number, to: number): string => tar.toString('latin1', from, to).split('\0', 1)[0]!;
  const kept: Buffer[] = [];
  for (let at = 0; tar[at] !== 0;) {
    const end = at + BLOCK + Math.ceil(parseInt(field(at + 124, at + 136), 8) / BLOCK) * BLOCK;
    if (wanted.test(field(at, at + 100))) kept.push(tar.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, Buffer.alloc(2 * BLOCK)]);
}
