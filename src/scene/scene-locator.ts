import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { AppError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import type { BlobStore } from '../blob-store.ts';
import type { ByteSource } from '../imagery/byte-source.ts';
import { isTiff } from '../imagery/open-image.ts';
import { UrlNotAllowedError, withoutSecrets } from '../remote/guarded-http.ts';
import type { RemoteFiles, RemoteReference } from '../remote/remote-files.ts';
import { allowedFile } from './local-file.ts';
import type { Scene } from './scene.ts';
import { markForRemoval, pendingKey, removeCopy, requireImage, SCENES } from './scene-copies.ts';
import type { SourceFingerprints } from './source-fingerprint.ts';
import type { UploadService } from './upload.service.ts';
import type { TilePictures, TileSource } from '../tile-source/tile-pictures.ts';

/** Longest file name that is taken from a URL, characters. */
const MAX_FILENAME = 200;

/** Not exactly one of path, url, uploadId and tiles. */
export class SceneReferenceError extends AppError {
  readonly code = 'SCENE_REFERENCE_INVALID';
  constructor(readonly given: readonly string[]) {
    super(`Give exactly one of path, url, uploadId, tiles; given: ${given.join(', ') || 'none'}.`);
  }
}

/** Where an image is; exactly one of path, url, uploadId and tiles. */
export interface SceneReference {
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly uploadId?: string | undefined;
  /** Part of a tile service, which is copied. */
  readonly tiles?: TileSource | undefined;
  /** STAC item and asset that the URL was taken from. */
  readonly item?: RemoteReference['item'];
}

/** An image file that is at hand, or of which ranges are. */
export interface ImageFile {
  /** A local path, or ranges. */
  readonly file: string | ByteSource;
  /** Verifies that it still is the file that was registered. @throws {SourceChangedError} */
  check(): Promise<void>;
}

/** An image file that can become a scene. */
export interface LocatedImage {
  /** A local path, or ranges of a remote TIFF. */
  readonly file: string | ByteSource;
  /** Where it is read from, when it is not copied. */
  readonly remote: RemoteReference | null;
  readonly source: string;
  readonly filename: string;
  /** As in {@link Scene.attribution}. */
  readonly attribution: string | null;
  /** Lower-case hex SHA-256 of the file; reads the file unless it was hashed while copied. Of ranges: the content key. */
  sha256(): Promise<string>;
  /** Size of the copy that {@link keep} makes; null where the file stays where it is. */
  readonly copyBytes: number | null;
  /** Makes the bytes the scene's own. @returns the key of the blob; null where the file stays where it is */
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
   * @param options.tiles makes images of tile services
   * @param options.fingerprints shared by all locators of a process, so that a file is hashed once
   */
  constructor(
    private readonly blobs: BlobStore,
    private readonly uploads: UploadService,
    private readonly remote: RemoteFiles,
    private readonly options: {
      readonly roots: readonly string[];
      readonly maxBytes: number;
      readonly fingerprints: SourceFingerprints;
      readonly tiles: Pick<TilePictures, 'picture'>;
    },
  ) {}

  /**
   * @throws {SceneReferenceError} and errors of the four ways
   */
  async locate({ path, url, uploadId, tiles, item }: SceneReference): Promise<LocatedImage> {
    const given = Object.entries({ path, url, uploadId, tiles }).flatMap(([name, value]) =>
      value == null ? [] : [name],
    );
    if (given.length !== 1) throw new SceneReferenceError(given);
    if (path != null) return this.fromPath(path);
    if (tiles != null) return this.fromTiles(tiles);
    return url != null ? this.fromUrl(url, item) : this.fromUpload(uploadId!);
  }

  /**
   * The file of a registered scene.
   * @throws {ImageDeletedError} {@link SourceChangedError} when the file at the path is another by now; errors of the place that it lies at
   */
  async fileOf(scene: Scene): Promise<ImageFile> {
    requireImage(scene);
    const { remote, blobKey, source, sha256 } = scene;
    if (remote !== null) return { file: await this.remote.source(remote), check: unchanged };
    if (blobKey !== null) {
      const file = await this.blobFile(blobKey);
      // A blob is never written twice; a local copy of it is kept for as long as it is asked for.
      return {
        file,
        check: typeof file === 'string' ? async () => void (await this.blobs.localPath(blobKey)) : unchanged,
      };
    }
    const { roots, maxBytes, fingerprints } = this.options;
    const path = await allowedFile(source, roots, maxBytes);
    await fingerprints.check(path, sha256);
    return { file: path, check: () => fingerprints.check(path, sha256) };
  }

  /** Marks the copy of a scene's file, so that the sweeper removes it when this process ends before it does. */
  markForRemoval(blobKey: string | null): Promise<void> {
    return markForRemoval(this.blobs, blobKey);
  }

  /** Removes the copy of a scene's file, if any. */
  removeCopy(blobKey: string | null): Promise<void> {
    return removeCopy(this.blobs, blobKey);
  }

  private async fromPath(path: string): Promise<LocatedImage> {
    const localPath = await allowedFile(path, this.options.roots, this.options.maxBytes);
    return {
      file: localPath,
      remote: null,
      source: localPath,
      filename: basename(localPath),
      attribution: null,
      sha256: () => this.options.fingerprints.sha256(localPath),
      copyBytes: null,
      keep: async () => null,
      settle: async () => {},
      release: async () => {},
    };
  }

  private async fromUrl(text: string, item: RemoteReference['item']): Promise<LocatedImage> {
    const url = parsedUrl(text);
    const named = { source: withoutSecrets(url), filename: filenameOf(url), attribution: null };
    const found = await this.remote.find(text, item);
    if (found.kind === 'WHOLE') return this.copied(named, found.bytes);
    return {
      ...named,
      file: found.source,
      remote: found.reference,
      sha256: async () => found.contentKey,
      copyBytes: null,
      keep: async () => null,
      settle: async () => {},
      release: async () => {},
    };
  }

  private fromTiles(tiles: TileSource): Promise<LocatedImage> {
    const { source, name, bytes } = this.options.tiles.picture(tiles);
    return this.copied({ source, filename: name, attribution: tiles.attribution ?? null }, bytes);
  }

  private async copied(
    named: Pick<LocatedImage, 'source' | 'filename' | 'attribution'>,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<LocatedImage> {
    const key = await this.newSceneKey();
    try {
      const { sha256, sizeBytes } = await this.blobs.write(key, bytes, this.options.maxBytes);
      return {
        ...named,
        file: await this.blobFile(key),
        remote: null,
        sha256: async () => sha256,
        copyBytes: sizeBytes,
        keep: async () => key,
        settle: () => this.blobs.release(pendingKey(key)),
        release: () => this.removeCopy(key),
      };
    } catch (error) {
      await this.removeCopy(key);
      throw error;
    }
  }

  private async fromUpload(id: string): Promise<LocatedImage> {
    const { blobKey, filename, sha256, sizeBytes } = await this.uploads.received(id);
    let moved: string | null = null;
    return {
      file: await this.blobFile(blobKey),
      remote: null,
      source: `upload:${filename}`,
      filename,
      attribution: null,
      sha256: async () => sha256,
      copyBytes: sizeBytes,
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
        if (moved !== null) await this.blobs.release(pendingKey(moved));
      },
      release: async () => {
        if (moved === null) return;
        await this.uploads.moveBack(id, moved);
        await this.removeCopy(moved);
      },
    };
  }

  /** A blob as decoders take it: ranges of a TIFF that lies on no disk of this machine, else a local file. */
  private async blobFile(key: string): Promise<string | ByteSource> {
    const opened = await this.blobs.open(key);
    if (typeof opened === 'string' || isTiff(await opened.read(0, 4))) return opened;
    return this.blobs.localPath(key);
  }

  /** A key whose folder is this process's until the scene is stored; the sweeper leaves it alone so long. */
  private async newSceneKey(): Promise<string> {
    const key = `${SCENES}/${randomUUID()}/content`;
    await this.blobs.lease(pendingKey(key));
    return key;
  }
}

/** Files that are read by range check themselves. */
const unchanged = async (): Promise<void> => {};

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
