import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import type { ExecutionProvider } from '../execution-provider-names.ts';

interface ProviderFacts {
  /** Session providers in order of preference. TensorRT leaves unsupported nodes to CUDA. */
  readonly session: readonly string[];
  /** The provider's name in ONNX Runtime's profile. */
  readonly profile: string;
  /** Advice when it cannot start. */
  readonly remedy: string;
}

const CUDA_FILES = 'run `npm rebuild onnxruntime-node --foreground-scripts`, which downloads its CUDA 12 libraries';
const FACTS: Readonly<Record<ExecutionProvider, ProviderFacts>> = {
  cpu: { session: ['cpu'], profile: 'CPUExecutionProvider', remedy: 'install onnxruntime-node again' },
  webgpu: {
    session: ['webgpu'],
    profile: 'WebGpuExecutionProvider',
    remedy:
      'It needs a GPU with a Vulkan driver: install the Vulkan loader (Debian: libvulkan1) and the driver of the GPU, ' +
      'and check that `vulkaninfo --summary` lists the GPU; or set TERRAQL_EXECUTION_PROVIDER=cpu.',
  },
  cuda: {
    session: ['cuda'],
    profile: 'CUDAExecutionProvider',
    remedy: `It needs an NVIDIA driver, CUDA 12 and cuDNN 9: ${CUDA_FILES}; or set TERRAQL_EXECUTION_PROVIDER=cpu.`,
  },
  tensorrt: {
    session: ['tensorrt', 'cuda'],
    profile: 'TensorrtExecutionProvider',
    remedy:
      `It needs an NVIDIA driver, CUDA 12, cuDNN 9 and TensorRT 10: ${CUDA_FILES}, and install TensorRT; ` +
      'or set TERRAQL_EXECUTION_PROVIDER=cuda or cpu.',
  },
};

/** The configured execution provider cannot be used; the message has the reason and the remedy. */
export class ExecutionProviderError extends AppError {
  readonly code = 'EXECUTION_PROVIDER_UNAVAILABLE';
  constructor(
    readonly provider: ExecutionProvider,
    readonly reason: string,
  ) {
    super(`Execution provider ${provider} cannot be used: ${reason.trim()}. ${FACTS[provider].remedy}`);
  }
}

/** A session and, until its first run is verified, its ONNX Runtime profile folder. */
export interface OpenedSession {
  readonly session: InferenceSession;
  readonly profileFolder: string | null;
}

/**
 * Loads a graph on one execution provider.
 * @param threads threads per inference; 0 leaves the choice to ONNX Runtime: one per core
 * @throws {ExecutionProviderError} when the provider cannot start; errors of ONNX Runtime on the CPU
 */
export async function openSession(file: string, provider: ExecutionProvider, threads: number): Promise<OpenedSession> {
  const profileFolder = provider === 'cpu' ? null : await mkdtemp(path.join(tmpdir(), 'terraql-profile-'));
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...FACTS[provider].session],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    // Spinning threads double the CPU time of a window and starve everything else.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(profileFolder === null
      ? {}
      : { enableProfiling: true, profileFilePrefix: path.join(profileFolder, path.basename(file)) }),
  };
  try {
    return { session: await InferenceSession.create(file, options), profileFolder };
  } catch (cause) {
    if (profileFolder === null) throw cause;
    await rm(profileFolder, { recursive: true, force: true });
    throw new ExecutionProviderError(provider, cause instanceof Error ? cause.message : String(cause));
  }
}

/**
 * Verifies after a session's first run that the provider executed a part of the graph: ONNX Runtime silently falls back to
 * the CPU for nodes that a provider does not support.
 * @throws {ExecutionProviderError} when the whole graph ran elsewhere
 */
export async function proveInUse(
  { session, profileFolder }: OpenedSession,
  provider: ExecutionProvider,
): Promise<void> {
  if (profileFolder === null) return;
  session.endProfiling();
  try {
    const texts = (await readdir(profileFolder)).map((name) => readFile(path.join(profileFolder, name), 'utf8'));
    requireNodesOn(provider, (await Promise.all(texts)).join('\n'));
  } finally {
    await rm(profileFolder, { recursive: true, force: true });
  }
}

/**
 * @param profile ONNX Runtime's profile: one event per node with its provider
 * @throws {ExecutionProviderError}
 */
export function requireNodesOn(provider: ExecutionProvider, profile: string): void {
  const ran = [...profile.matchAll(/"provider"\s*:\s*"(\w+)"/g)].map(([, name]) => name);
  if (ran.includes(FACTS[provider].profile)) return;
  const others = [...new Set(ran)].join(', ') || 'nothing';
  throw new ExecutionProviderError(provider, `it executed no node of the graph; the graph ran on ${others}`);
}
