/** What can compute a model; apart from the code that starts them, so that naming them loads no runtime. */
export const EXECUTION_PROVIDERS = ['cpu', 'webgpu', 'cuda', 'tensorrt'] as const;

export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];
