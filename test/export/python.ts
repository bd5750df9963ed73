import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const python = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
const run = promisify(execFile);

/** Whether Python has a module; in continuous integration it must. */
export function pythonHas(module: string): boolean {
  const has = spawnSync(python, ['-c', `import ${module}`]).status === 0 || process.env['CI'] !== undefined;
  if (!has) console.warn(`skipped: ${python} has no ${module}`);
  return has;
}

/** Runs a program with arguments. @returns the JSON that it prints @throws when it fails */
export async function fromPython<Printed>(program: string, ...values: string[]): Promise<Printed> {
  const { stdout } = await run(python, ['-c', program, ...values], { maxBuffer: 64 * 1024 ** 2 });
  return JSON.parse(stdout) as Printed;
}
