import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ExecutionProviderError, requireNodesOn } from '../../src/inference/execution-provider.ts';
import { DEFAULT_LOCAL, LocalModel } from '../../src/inference/local-model.ts';
import type { VerifiedModel } from '../../src/inference/manifest.ts';
import { CUDA_LIBRARY } from './cuda-library.ts';
import { testModel } from './model-folder.ts';

// Where the CUDA libraries are installed the providers may start, and then there is nothing to refuse.
const withoutCuda = describe.skipIf(existsSync(CUDA_LIBRARY));

withoutCuda('an execution provider that cannot start', () => {
  let verified: VerifiedModel;
  beforeAll(async () => {
    verified = await testModel();
  });

  it.each([
    ['cuda', 'npm rebuild onnxruntime-node --foreground-scripts'],
    ['tensorrt', 'TERRAQL_EXECUTION_PROVIDER=cuda or cpu'],
  ] as const)(
    '%s is an error with what ONNX Runtime says and a remedy, never the processor',
    async (provider, remedy) => {
      const loading = LocalModel.load(verified, { ...DEFAULT_LOCAL, provider });
      await expect(loading).rejects.toThrow(ExecutionProviderError);
      await expect(loading).rejects.toThrow(/^Execution provider \w+ cannot be used: .*Failed to load shared library/);
      await expect(loading).rejects.toThrow(remedy);
    },
  );
});

describe('requireNodesOn', () => {
  const node = (provider: string) => `{"cat":"Node","args":{"provider" : "${provider}","op_name":"Add"}}`;

  it('takes a graph of which the provider ran a part', () => {
    requireNodesOn('cuda', [node('CPUExecutionProvider'), node('CUDAExecutionProvider')].join(','));
  });

  it('refuses a provider that ran nothing, and says what ran the graph', () => {
    expect(() => requireNodesOn('webgpu', node('CPUExecutionProvider'))).toThrow(
      'Execution provider webgpu cannot be used: it executed no node of the graph; the graph ran on CPUExecutionProvider. ' +
        'It needs a GPU with a Vulkan driver',
    );
    expect(() => requireNodesOn('tensorrt', '')).toThrow('the graph ran on nothing');
  });
});
