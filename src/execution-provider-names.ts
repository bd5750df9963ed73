/** Names of execution providers, in a file of their own so that importing them loads no runtime. */
export const EXECUTION_PROVIDERS = ['cpu', 'webgpu', 'cuda', 'tensorrt'] as const;

export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];
