import type { Router } from 'express';
import type { BlobStore } from '../blob-store.ts';
import { ExportNotFoundError } from '../export/stored-export.service.ts';
import { blobFolderOf } from '../export/stored-export.ts';
import { type Asked, DOCUMENT_COST, type Outlet } from './outlet.ts';
import { sendStoredFile } from './stored-file.ts';

type Names = Readonly<{ id: string; name: string }>;

/** `GET /exports/{id}/{name}`: a stored file, whole or by `Range`, until it expires. */
export function storedExportRoutes(outlet: Outlet, blobs: Pick<BlobStore, 'open' | 'stream'>): Router {
  return outlet.resource<Names>('/exports/:id/:name', {
    role: 'viewer',
    cost: DOCUMENT_COST,
    methods: { GET: (asked) => send(asked, blobs) },
    takesFilter: false,
  });
}

async function send(
  { services, request, response }: Asked<Names>,
  blobs: Pick<BlobStore, 'open' | 'stream'>,
): Promise<void> {
  const { id, name } = request.params;
  const stored = await services.storedExports.finished(id);
  if (name !== services.storedExports.fileName(stored.format)) throw new ExportNotFoundError(`${id}/${name}`);
  const key = `${blobFolderOf(id)}/file`;
  await blobs.open(key); // it is there
  response.attachment(name);
  await sendStoredFile(request, response, {
    etag: `"${stored.sha256.slice(0, 32)}"`,
    cacheControl: `private, max-age=${Math.max(0, Math.floor((stored.expiresAt.getTime() - Date.now()) / 1000))}`,
    contentType: services.storedExports.mediaType(stored.format),
    read: async () => ({
      bytes: stored.sizeBytes,
      slice: (start, end) => blobs.stream(key, { start, end }),
    }),
  });
}
