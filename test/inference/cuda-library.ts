import { createRequire } from 'node:module';
import path from 'node:path';

/** Where ONNX Runtime looks for CUDA. Its npm package comes without, so that CUDA cannot start where it is missing. */
export const CUDA_LIBRARY = path.resolve(
  path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node')),
  `../bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`,
);
