import type { Geometry } from 'geojson';
import type { Condition } from '../cql2/condition.ts';
import { type RepairedGeometry, repairWarning } from '../database/sql/valid-geometry.ts';
import { AppError, OutageError } from '../errors.ts';
import { type Room, UNLIMITED } from '../quota.ts';
import { repairable } from '../geojson-crossings.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import type { ByteSource } from '../imagery/byte-source.ts';
import { georeference } from '../imagery/georeference.ts';
import type { Collar } from '../imagery/collar.ts';
import { checkBands } from '../imagery/image-errors.ts';
import type { ImageHeader, ImageSource } from '../imagery/image-source.ts';
import type { NewScene, Scene } from './scene.ts';
import type { LocatedImage, SceneLocator, SceneReference } from './scene-locator.ts';

/** Conditions on scenes, combined with AND. */
export interface SceneFilter {
  /** Part of the name, case-insensitive. */
  readonly name?: string;
  /** WGS 84 geometry that intersects the footprint. */
  readonly intersects?: Geometry;
  /** Bounds `[west, south, east, north]` that the footprint's meet; not across the antimeridian. */
  readonly bounds?: readonly [number, number, number, number];
  /** Bounds of `acquiredAt`, inclusive; scenes without a date never match. */
  readonly acquired?: { readonly from?: Date; readonly to?: Date };
  /** A condition on the attributes of `SCENE_ATTRIBUTES` and the footprint; its geometries come checked. */
  readonly condition?: Condition;
}

/** Ground and time of all scenes; null where none has any. */
export interface SceneExtent {
  /** West, south, east and north. */
  readonly box: readonly [number, number, number, number] | null;
  readonly from: Date | null;
  readonly to: Date | null;
}

/** Port to the stored scenes; the database implements it. */
export interface SceneStore {
  /**
   * Stores the scene, assigns identifier (unless given) and time, and computes its geodesic area.
   * @param sizeBytes of the copy of its file; null without one
   */
  insert(scene: NewScene, id?: string, sizeBytes?: number | null): Promise<Scene>;
  byId(id: string): Promise<Scene | null>;
  /** Scenes by identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Scene[]>;
  /** Newest scene first. */
  list(filter: SceneFilter, page: PageRequest): Promise<CountedPage<Scene>>;
  extent(): Promise<SceneExtent>;
  /** What becomes of those of the geometries that are not valid. */
  repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]>;
  /** Removes the scene and everything found on it. @returns the removed scene; null when there was none */
  remove(id: string): Promise<Scene | null>;
  /** Sets `keepUntil`. @returns the changed scene; null when there is none */
  keep(id: string, until: Date | null): Promise<Scene | null>;
}

/** An image to register, and values that override those of the file. */
export interface RegisterScene extends SceneReference {
  /** `[west, south, east, north]`, WGS 84; only for images without georeference. */
  readonly bounds?: readonly number[] | undefined;
  /** 1-based band numbers: one to show as grey, or three for red, green, blue. */
  readonly bands?: readonly number[] | undefined;
  readonly acquiredAt?: Date | undefined;
  readonly name?: string | undefined;
  /** When it is deleted with everything found on it; undefined: as the settings say. */
  readonly keepUntil?: Date | undefined;
}

/** There is no scene with that identifier. */
export class SceneNotFoundError extends AppError {
  readonly code = 'SCENE_NOT_FOUND';
  constructor(readonly id: string) {
    super(`Scene ${id} does not exist.`);
  }
}

/** Bands that cannot be shown, or a name of the wrong length. */
export class InvalidSceneInputError extends AppError {
  readonly code = 'SCENE_INPUT_INVALID';
}

const MAX_NAME = 200;

/** Opens image files, in this process or another. */
export interface ImageOpener {
  /** @param file local path, or ranges of a TIFF */
  open(file: string | ByteSource): Promise<ImageSource>;
}

/** Where copies of images are kept. */
export interface SceneStorage extends Room {
  /** Told of the size of each file of which a copy is kept. */
  onKept(sizeBytes: number): void;
}

const argumentOf = ({ url, tiles }: RegisterScene): string =>
  `input.${url != null ? 'url' : tiles != null ? 'tiles' : 'uploadId'}`;

/** Registers images as scenes and opens their pixels. */
export class SceneService {
  /** @param storage of the workspace; unlimited unless given */
  constructor(
    private readonly store: SceneStore,
    private readonly locator: SceneLocator,
    private readonly images: ImageOpener,
    private readonly storage: SceneStorage = { ...UNLIMITED, onKept: () => undefined },
  ) {}

  /**
   * Registers an image: reads its header, its georeference and, for samples of more than 8 bits, a display stretch. A
   * refused image leaves nothing behind.
   * @param id of the scene; a new one unless given
   * @throws {AppError} errors of the locator, `openImage` and `georeference`
   * @throws {InvalidSceneInputError | BandNotFoundError | QuotaExceededError}
   */
  async register(input: RegisterScene, warn: (warning: string) => void = () => {}, id?: string): Promise<Scene> {
    checkFuture('keepUntil', input.keepUntil ?? null);
    const located = await this.locator.locate(input);
    try {
      const scene = await this.describe(input, located, warn);
      const { copyBytes } = located;
      if (copyBytes !== null) await this.storage.admit('BYTES_STORED', copyBytes, argumentOf(input));
      const stored = await this.store.insert({ ...scene, blobKey: await located.keep() }, id, copyBytes);
      if (copyBytes !== null) this.storage.onKept(copyBytes);
      // What is left of the registration does no harm: the scene is stored.
      await located.settle().catch(() => undefined);
      return stored;
    } catch (error) {
      // After a lost connection the scene may be stored all the same. What is left then, and what cannot be removed now, is
      // the sweeper's.
      if (!(error instanceof OutageError)) await located.release().catch(() => undefined);
      throw error;
    }
  }

  byId(id: string): Promise<Scene | null> {
    return this.store.byId(id);
  }

  /** @throws {SceneNotFoundError} */
  async get(id: string): Promise<Scene> {
    const scene = await this.store.byId(id);
    if (!scene) throw new SceneNotFoundError(id);
    return scene;
  }

  byIds(ids: readonly string[]): Promise<Scene[]> {
    return this.store.byIds(ids);
  }

  /**
   * A geometry that is not valid is repaired, with a warning.
   * @throws {InvalidGeometryError} for one that would take too long to repair
   */
  async list(
    filter: SceneFilter,
    page: PageRequest,
    warn: (warning: string) => void = () => {},
  ): Promise<CountedPage<Scene>> {
    const { intersects } = filter;
    if (intersects === undefined) return this.store.list(filter, page);
    const [repair] = await this.store.repair([repairable(intersects)]);
    if (repair === undefined) return this.store.list(filter, page);
    warn(repairWarning(repair));
    return this.store.list({ ...filter, intersects: repair.repaired }, page);
  }

  /** What ground and time the scenes cover. */
  extent(): Promise<SceneExtent> {
    return this.store.extent();
  }

  /**
   * Deletes a scene, everything found on it and the copy of its file; a file registered by path stays.
   * @throws {SceneNotFoundError}
   */
  async delete(id: string): Promise<void> {
    const { blobKey } = await this.get(id);
    await this.locator.markForRemoval(blobKey);
    const removed = await this.store.remove(id);
    if (!removed) throw new SceneNotFoundError(id);
    await this.locator.removeCopy(removed.blobKey);
  }

  /**
   * Says until when a scene is kept, with everything found on it.
   * @param until null: as the settings say
   * @throws {SceneNotFoundError | InvalidSceneInputError}
   */
  async keep(id: string, until: Date | null): Promise<Scene> {
    checkFuture('until', until);
    const kept = await this.store.keep(id, until);
    if (!kept) throw new SceneNotFoundError(id);
    return kept;
  }

  /**
   * Opens the pixels of a scene; the caller closes.
   * @throws {SourceChangedError | RemoteChangedError} when the file was replaced, now or while it is read; errors of `openImage`
   */
  async open(scene: Scene): Promise<ImageSource> {
    const located = await this.locator.fileOf(scene);
    const image = await this.images.open(located.file);
    return {
      header: image.header,
      stretch: (rgbBands, collar) => image.stretch(rgbBands, collar),
      collar: (rgbBands) => image.collar(rgbBands),
      close: () => image.close(),
      readRgb: async (...request) => {
        const window = await image.readRgb(...request);
        await located.check();
        return window;
      },
    };
  }

  private async describe(
    input: RegisterScene,
    located: LocatedImage,
    warn: (warning: string) => void,
  ): Promise<NewScene> {
    const name = sceneName(input.name, located.filename);
    const image = await this.images.open(located.file);
    try {
      const { header } = image;
      header.warnings.forEach(warn);
      const rgbBands = shownBands(input.bands, header);
      const collar = isFar(header, located.remote) ? null : await image.collar(rgbBands);
      if (collar) warn(collarWarning(collar));
      return {
        ...(await georeference(header, input.bounds ?? null)),
        name,
        source: located.source,
        sha256: await located.sha256(),
        widthPx: header.widthPx,
        heightPx: header.heightPx,
        bands: header.bands,
        dtype: header.dtype,
        nodata: header.nodata,
        rgbBands,
        stretch: await image.stretch(rgbBands, collar),
        collar,
        acquiredAt: input.acquiredAt ?? header.acquiredAt,
        blobKey: null,
        remote: located.remote,
        attribution: located.attribution,
        keepUntil: input.keepUntil ?? null,
      };
    } finally {
      await image.close();
    }
  }
}

function checkFuture(name: string, time: Date | null): void {
  if (time === null || time > new Date()) return;
  throw new InvalidSceneInputError(
    `${name} is ${time.toISOString()}, which has passed; use deleteScene to delete now.`,
  );
}

/** Largest image without overviews that is read whole over a network to look for a collar, pixels. */
const MAX_FAR_PIXELS = 2 ** 22;

function isFar({ overviews, widthPx, heightPx }: ImageHeader, remote: Scene['remote']): boolean {
  return remote !== null && overviews.length === 0 && widthPx * heightPx > MAX_FAR_PIXELS;
}

function collarWarning({ value, share }: Collar): string {
  const percent = (100 * share).toFixed(1);
  return `The image is surrounded by the value ${value} (${percent} % of its pixels), and the file declares no nodata value. This collar is treated as no data; set nodata in the file to change that.`;
}

function sceneName(asked: string | undefined, filename: string): string {
  const name = (asked ?? filename).trim();
  if (name.length >= 1 && name.length <= MAX_NAME) return name;
  if (asked === undefined) return name.slice(0, MAX_NAME);
  throw new InvalidSceneInputError(`name has ${name.length} characters; 1 to ${MAX_NAME} are allowed.`);
}

function shownBands(asked: readonly number[] | undefined, header: ImageHeader): readonly number[] {
  if (!asked) return header.rgbBands;
  checkBands(asked, header.bands);
  if (header.photometric === 'PALETTE' && asked.length !== 1) {
    throw new InvalidSceneInputError(`bands is [${asked.join(', ')}]; a palette image shows exactly one band.`);
  }
  if (asked.length !== 1 && asked.length !== 3) {
    throw new InvalidSceneInputError(
      `bands is [${asked.join(', ')}]; give one band for grey or three for red, green and blue.`,
    );
  }
  return asked;
}
