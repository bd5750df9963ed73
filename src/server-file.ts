import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const ServerFile = z.object({ pid: z.number().int().positive(), url: z.url(), secret: z.string().optional() });

const fileOf = (dataDir: string): string => path.join(dataDir, 'server.json');

/**
 * Records that this process serves the data folder, so that commands ask it instead of opening the database again.
 * @param secret by which commands that may read the record ask the server as its administrator
 * @returns function that removes the record, unless another process has replaced it
 */
export async function announceServer(dataDir: string, url: string, secret?: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  // An older record may be readable for others.
  await rm(fileOf(dataDir), { force: true });
  await writeFile(fileOf(dataDir), `${JSON.stringify({ pid: process.pid, url, secret })}\n`, { mode: 0o600 });
  return async () => {
    const current = await read(dataDir);
    if (current?.pid === process.pid && current.url === url) await rm(fileOf(dataDir), { force: true });
  };
}

/**
 * Address of the server of a data folder.
 * @returns null if none was announced, or the announced one has ended or does not answer
 */
export async function findServer(dataDir: string): Promise<string | null> {
  const server = await read(dataDir);
  if (!server || !isAlive(server.pid)) return null;
  // Another program may have the process id by now.
  const healthy = await fetch(`${server.url}/healthz`, { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  return healthy ? server.url : null;
}

/** @returns the secret of the announced server at the address; null when another or none was announced */
export async function serverSecret(dataDir: string, url: string): Promise<string | null> {
  const server = await read(dataDir).catch((error: NodeJS.ErrnoException) => {
    // Another user serves this folder.
    if (error.code === 'EACCES') return null;
    throw error;
  });
  return server?.url === url ? (server.secret ?? null) : null;
}

async function read(dataDir: string): Promise<z.infer<typeof ServerFile> | null> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return ServerFile.parse(JSON.parse(text));
  } catch {
    // Partly written: its writer is starting or gone.
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
