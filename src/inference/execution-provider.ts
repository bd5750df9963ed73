import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import type { ExecutionProvider } from '../execution-provider-names.ts';

interface ProviderFacts {
  /** Session providers in order of preference. TensorRT leaves to CUDA the nodes that it cannot take. */
  readonly session: readonly string[];
  /** The provider's name in ONNX Runtime's profile. */
  readonly profile: string;
  /** What to do when it cannot start. */
  readonly remedy: string;
}

const CUDA_FILES = 'run `npm rebuild onnxruntime-node --foreground-scripts`, which fetches its CUDA 12 libraries';
const FACTS: Readonly<Record<ExecutionProvider, ProviderFacts>> = {
  cpu: { session: ['cpu'], profile: 'CPUExecutionProvider', remedy: 'install onnxruntime-node again' },
  webgpu: {
    session: ['webgpu'],
    profile: 'WebGpuExecutionProvider',
    remedy:
      'It needs a GPU with a Vulkan driver: install the Vulkan loader (Debian: libvulkan1) and the driver of the GPU, ' +
      'and see that `vulkaninfo --summary` lists the GPU; or set TERRAQL_EXECUTION_PROVIDER=cpu',
  },
  cuda: {
    session: ['cuda'],
    profile: 'CUDAExecutionProvider',
    remedy: `It needs an NVIDIA driver, CUDA 12 and cuDNN 9: ${CUDA_FILES}; or set TERRAQL_EXECUTION_PROVIDER=cpu`,
  },
  tensorrt: {
    session: ['tensorrt', 'cuda'],
    profile: 'TensorrtExecutionProvider',
    remedy:
      `It needs an NVIDIA driver, CUDA 12, cuDNN 9 and TensorRT 10: ${CUDA_FILES}, and install TensorRT; ` +
      'or set TERRAQL_EXECUTION_PROVIDER=cuda or cpu',
  },
};

/** The execution provider that was asked for cannot be used; the message says why and what to do. */
export class ExecutionProviderError extends AppError {
  readonly code = 'EXECUTION_PROVIDER_UNAVAILABLE';
  constructor(
    readonly provider: ExecutionProvider,
    readonly reason: string,
  ) {
    super(`execution provider ${provider} cannot be used: ${reason.trim()}. ${FACTS[provider].remedy}`);
  }
}

/** A session and, until its first run was looked at, where ONNX Runtime profiles it. */
export interface OpenedSession {
  readonly session: InferenceSession;
  readonly profileFolder: string | null;
}

/**
 * Loads a graph on one execution provider.
 * @param threads of one inference; 0 leaves the choice to ONNX Runtime: one per core
 * @throws {ExecutionProviderError} when the provider cannot start; what ONNX Runtime says when it is the processor
 */
export async function openSession(file: string, provider: ExecutionProvider, threads: number): Promise<OpenedSession> {
  const profileFolder = provider === 'cpu' ? null : await mkdtemp(path.join(tmpdir(), 'terraql-profile-'));
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...FACTS[provider].session],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    // Threads that wait by spinning double the processor time of a window, and starve whatever else runs.
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
 * Ends the profile of a session after its first run and makes sure that the provider computed some of it: ONNX Runtime
 * gives every node that a provider does not take to the processor, without a word.
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
 * @param profile text that ONNX Runtime wrote: one event per node, with the provider that ran it
 * @throws {ExecutionProviderError}
 */
export function requireNodesOn(provider: ExecutionProvider, profile: string): void {
  const ran = [...profile.matchAll(/"provider"\s*:\s*"(\w+)"/g)].map(([, name]) => name);
  if (ran.includes(FACTS[provider].profile)) return;
  const others = [...new Set(ran)].join(', ') || 'nothing';
  throw new ExecutionProviderError(provider, `it took no node of the graph; the graph ran on ${others}`);
}
