import { CREATE_UPLOAD, REGISTER_UPLOAD } from '../documents.ts';
import { ask, ServiceError } from '../graphql.ts';

export interface UploadedScene {
  readonly id: string;
  readonly name: string;
  readonly isGeoreferenced: boolean;
}

interface Watch {
  readonly signal: AbortSignal;
  /** Bytes sent so far; all of them while the service reads the image. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Sends an image and registers it.
 * @param bounds corners `[west, south, east, north]` for an image without georeference
 * @throws {ServiceError} when it is refused
 */
export async function uploadScene(file: File, bounds: readonly number[] | null, watch: Watch): Promise<UploadedScene> {
  // A new address for each try: one serves once.
  const { createUpload } = await ask(CREATE_UPLOAD, { filename: file.name, sizeBytes: file.size }, watch.signal);
  await put(createUpload.url, file, watch);
  watch.onProgress(file.size);
  const { registerScene } = await ask(
    REGISTER_UPLOAD,
    { input: { uploadId: createUpload.id, ...(bounds ? { bounds: [...bounds] } : {}) } },
    watch.signal,
  );
  const { id, name, footprint } = registerScene!;
  return { id, name, isGeoreferenced: footprint !== null && footprint !== undefined };
}

/** `fetch` tells nothing of what was sent, XMLHttpRequest does. */
function put(url: string, file: File, { signal, onProgress }: Watch): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const refuse = (): void => reject(new ServiceError(`${request.status} ${request.statusText}`.trim(), null));
    request.open('PUT', url);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('load', () => (request.status < 300 ? resolve() : refuse()));
    request.addEventListener('error', refuse);
    request.addEventListener('abort', () => reject(new DOMException('The upload was cancelled.', 'AbortError')));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
