// Removes from node_modules the parts of packages that this machine cannot use or TerraQL never loads: after every
// `npm install` and `npm ci`. Packages bring them whole; npm has no way to leave them out.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const packages = path.resolve(import.meta.dirname, '..', 'node_modules');

/** Removes the entries of a folder that match. */
function prune(folder, isUnused) {
  const at = path.join(packages, folder);
  if (!existsSync(at)) return;
  for (const name of readdirSync(at).filter(isUnused)) rmSync(path.join(at, name), { recursive: true });
}

// ONNX Runtime for other systems and processors: 245 MB.
prune('onnxruntime-node/bin/napi-v6', (platform) => platform !== process.platform);
prune(`onnxruntime-node/bin/napi-v6/${process.platform}`, (arch) => arch !== process.arch);
// Prisma's query compiler for databases other than PostgreSQL: 55 MB.
prune('@prisma/client/runtime', (file) => /^query_compiler_.*\.(cockroachdb|mysql|sqlite|sqlserver)\./.test(file));
