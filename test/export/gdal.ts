import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether GDAL's programs (Debian: gdal-bin) are there; in continuous integration they must be. */
export const hasGdal = await run('ogr2ogr', ['--version']).then(
  () => true,
  () => process.env['CI'] !== undefined,
);

/** Runs a program of GDAL. @returns what it printed @throws when it fails, or warns */
export async function gdal(program: string, ...options: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, options, { maxBuffer: 64 * 1024 ** 2 });
  if (stderr !== '') throw new Error(`${program} ${options.join(' ')}: ${stderr}`);
  return stdout;
}
