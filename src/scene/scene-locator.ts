import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { AppError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import type { BlobStore } from '../blob-store.ts';
import type { Downloader } from './download.ts';
import { UrlNotAllowedError, withoutSecrets } from './download.ts';
import { allowedFile } from './local-file.ts';
import type { Scene } from './scene.ts';
import type { SourceFingerprints } from './source-fingerprint.ts';
import type { UploadService } from './upload.service.ts';

/** Longest file name that is taken from a URL, characters. */
const MAX_FILENAME = 200;

/** Not exactly one of path, url and uploadId. */
export class SceneReferenceError extends AppError {
  readonly code = 'SCENE_REFERENCE_INVALID';
  constructor(readonly given: readonly string[]) {
    super(`give exactly one of path, url, uploadId; given: ${given.join(', ') || 'none'}`);
  }
}

/** An s3:// reference in an installation without access to S3. */
export class S3NotConfiguredError extends AppError {
  readonly code = 'S3_NOT_CONFIGURED';
  constructor(readonly url: string) {
    super(
      `${url} cannot be read: no S3 endpoint and credentials are configured; use a signed https:// URL or an upload`,
    );
  }
}

/** Where an image is; exactly one of the three. */
export interface SceneReference {
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly uploadId?: string | undefined;
}

/** A local image file that can become a scene. */
export interface LocatedImage {
  readonly localPath: string;
  readonly source: string;
  readonly filename: string;
  /** Lower-case hex SHA-256 of the file; reads the file unless it was hashed while copied. */
  sha256(): Promise<string>;
  /** Makes the bytes the scene's own. @returns the key of the blob; null for a path */
  keep(): Promise<string | null>;
  /** Says that the scene is stored. */
  settle(): Promise<void>;
  /** Undoes what locating and keeping did, when no scene came of it. */
  release(): Promise<void>;
}

/** Locates the bytes of scenes: under the allowed folders, over https, or in the blob store. */
export class SceneLocator {
  /**
   * @param options.roots allowed folders
   * @param options.maxBytes largest file
   * @param options.fingerprints shared by all locators of a process, so that a file is hashed once
   */
  constructor(
    private readonly blobs: BlobStore,
    private readonly uploads: UploadService,
    private readonly downloader: Downloader,
    private readonly options: {
      readonly roots: readonly string[];
      readonly maxBytes: number;
      readonly fingerprints: SourceFingerprints;
    },
  ) {}

  /**
   * @throws {SceneReferenceError} and errors of the three ways
   */
  locate({ path, url, uploadId }: SceneReference): Promise<LocatedImage> {
    const given = Object.entries({ path, url, uploadId }).flatMap(([name, value]) => (value == null ? [] : [name]));
    if (given.length !== 1) throw new SceneReferenceError(given);
    if (path != null) return this.fromPath(path);
    return url != null ? this.fromUrl(url) : this.fromUpload(uploadId!);
  }

  /** Path of a registered scene's file; checks it again. */
  async localPath(scene: Pick<Scene, 'blobKey' | 'source'>): Promise<string> {
    if (scene.blobKey !== null) return this.blobs.localPath(scene.blobKey);
    return allowedFile(scene.source, this.options.roots, this.options.maxBytes);
  }

  /** Marks the copy of a scene's file, so that the sweeper removes it when this process ends before it does. */
  async markForRemoval(blobKey: string | null): Promise<void> {
    if (blobKey !== null) await this.blobs.lease(pendingKey(blobKey));
  }

  /**
   * Verifies that the file at a path is the one that was registered.
   * @throws {SourceChangedError}
   */
  checkUnchanged(path: string, sha256: string): Promise<void> {
    return this.options.fingerprints.check(path, sha256);
  }

  /** Removes the copy of a scene's file, if any. */
  async removeCopy(blobKey: string | null): Promise<void> {
    if (blobKey !== null) await this.blobs.removeFolder(blobKey.slice(0, blobKey.lastIndexOf('/')));
  }

  private async fromPath(path: string): Promise<LocatedImage> {
    const localPath = await allowedFile(path, this.options.roots, this.options.maxBytes);
    return {
      localPath,
      source: localPath,
      filename: basename(localPath),
      sha256: () => this.options.fingerprints.sha256(localPath),
      keep: async () => null,
      settle: async () => {},
      release: async () => {},
    };
  }

  private async fromUrl(text: string): Promise<LocatedImage> {
    const url = parsedUrl(text);
    if (url.protocol === 's3:') throw new S3NotConfiguredError(withoutSecrets(url));
    const named = { source: withoutSecrets(url), filename: filenameOf(url) };
    const bytes = await this.downloader.fetch(text);
    const key = await this.newSceneKey();
    try {
      const { sha256 } = await this.blobs.write(key, bytes, this.options.maxBytes);
      return {
        ...named,
        localPath: await this.blobs.localPath(key),
        sha256: async () => sha256,
        keep: async () => key,
        settle: () => this.blobs.remove(pendingKey(key)),
        release: () => this.removeCopy(key),
      };
    } catch (error) {
      await this.removeCopy(key);
      throw error;
    }
  }

  private async fromUpload(id: string): Promise<LocatedImage> {
    const { blobKey, filename, sha256 } = await this.uploads.received(id);
    const localPath = await this.blobs.localPath(blobKey);
    let moved: string | null = null;
    return {
      localPath,
      source: `upload:${filename}`,
      filename,
      sha256: async () => sha256,
      keep: async () => {
        const key = await this.newSceneKey();
        try {
          await this.uploads.moveTo(id, key);
        } catch (error) {
          await this.removeCopy(key);
          throw error;
        }
        moved = key;
        return key;
      },
      settle: async () => {
        if (moved !== null) await this.blobs.remove(pendingKey(moved));
      },
      release: async () => {
        if (moved === null) return;
        await this.uploads.moveBack(id, moved);
        await this.removeCopy(moved);
      },
    };
  }

  /** A key whose folder is this process's until the scene is stored; the sweeper leaves it alone so long. */
  private async newSceneKey(): Promise<string> {
    const key = `${SCENES}/${randomUUID()}/content`;
    await this.blobs.lease(pendingKey(key));
    return key;
  }
}

/** Folder of the copies of scenes. */
export const SCENES = 'scenes';

/** Lease of the process that is registering a scene, or removing it. */
export const pendingKey = (contentKey: string): string => `${dirname(contentKey)}/pending`;

/** @throws {UrlNotAllowedError} without a part of the text, which may be a secret */
function parsedUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UrlNotAllowedError(null, 'it is not a URL');
  return new URL(text);
}

/** The last part of the path, decoded where it is well-formed (RFC 3986, 2.1), else as it is. */
function filenameOf(url: URL): string {
  const name = basename(url.pathname);
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // The server may serve such a path all the same, as WHATWG URL keeps it.
  }
  return plainText(decoded, MAX_FILENAME) || url.host;
}
