import { dirname } from 'node:path';
import type { BlobStore } from '../blob-store.ts';
import { AppError } from '../errors.ts';
import type { Scene } from './scene.ts';

/** Folder of the copies of scenes. */
export const SCENES = 'scenes';

/** Lease of the process that is registering a scene, or removing it. */
export const pendingKey = (contentKey: string): string => `${dirname(contentKey)}/pending`;

/** The copy of the scene's image was deleted, because it was due. */
export class ImageDeletedError extends AppError {
  readonly code = 'IMAGE_DELETED';
  constructor({ id }: Scene, at: Date) {
    super(`The image of scene ${id} was deleted at ${at.toISOString()}; what was found in it is kept.`);
  }
}

/** Whether the image of a scene has not been deleted. */
export const hasImage = ({ imageDeletedAt }: Scene): boolean => imageDeletedAt === null;

/** @throws {ImageDeletedError} */
export function requireImage(scene: Scene): void {
  if (scene.imageDeletedAt !== null) throw new ImageDeletedError(scene, scene.imageDeletedAt);
}

/** Marks the copy of a scene's file, so that the sweeper removes it when this process ends before it does. */
export async function markForRemoval(blobs: Pick<BlobStore, 'lease'>, blobKey: string | null): Promise<void> {
  if (blobKey !== null) await blobs.lease(pendingKey(blobKey));
}

/** Removes the copy of a scene's file, if any. */
export async function removeCopy(blobs: Pick<BlobStore, 'removeFolder'>, blobKey: string | null): Promise<void> {
  if (blobKey !== null) await blobs.removeFolder(dirname(blobKey));
}
