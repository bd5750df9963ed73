import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Running, startCommand } from '../../durability/processes.ts';

/** `terraql serve` in a process of its own that is killed and started again, on one data folder and one port. */
export class ServedProcess {
  private constructor(
    private running: Running,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async start(environment: NodeJS.ProcessEnv): Promise<ServedProcess> {
    return new ServedProcess(await startCommand(['serve', '--port', '0'], environment), environment);
  }

  get url(): string {
    return new URL(String(this.running.started['url'])).origin;
  }

  /** Ends the process without warning, as a lost machine would, and starts it again on the same port. */
  async killAndRestart(): Promise<void> {
    const { port } = new URL(this.url);
    await this.running.end('SIGKILL');
    this.running = await startCommand(['serve', '--port', port], this.environment);
  }

  /** @returns exit code and signal */
  stop(): Promise<readonly [number | null, NodeJS.Signals | null]> {
    return this.running.end('SIGTERM');
  }

  /** Resident memory, MiB; of the process and of those that it started. */
  async residentMib(): Promise<number> {
    return (await residentMib(this.running.pid)).reduce((sum, size) => sum + size, 0);
  }
}

/** Resident memory of a process and of each that it started, MiB. */
export async function residentMib(pid: number): Promise<number[]> {
  const sizes = await Promise.all((await withChildren(pid)).map(residentKib));
  return sizes.map((kib) => kib / 1024);
}

async function withChildren(pid: number): Promise<number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = listed.split(' ').filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(children.map(withChildren))).flat()];
}

async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

/** Number and bytes of the files below a folder, the database's own left out: its size is the database's affair. */
export async function filesBelow(folder: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(`${path.sep}pglite`))
      .map((entry) =>
        stat(path.join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
