import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { GdalModule } from 'gdal3.js/build/package/gdal3WebAssembly.js';

/** Coordinate pairs from one system to another; NaN where the projection has no value. */
export type Transform = (x: number, y: number) => [number, number];

/** Spelling of a system: OGC 18-010r11, OGC 01-009 with GDAL's names, or with ESRI's. */
export type WktFormat = 'WKT2_2019' | 'WKT1_GDAL' | 'WKT1_ESRI';

/** GDAL or PROJ refuses a definition, a file or a pair of systems; the message is its own. */
export class GdalError extends Error {}

/** x is east and y is north, or longitude and latitude, whatever the order of axes in the definition. */
const TRADITIONAL_GIS_ORDER = 0;
const WGS84 = 'EPSG:4326';
const GDAL_BYTE = 1;
const OPEN_RASTER = 2;
const OPEN_VECTOR = 4;

/**
 * GDAL 3.8 with PROJ 9.3 and its database, compiled to WebAssembly. It has its own memory and file system: no definition
 * or file reaches the host. All calls are synchronous. After a trap the instance is not used again.
 * @see docs/adr/0006-proj.md
 */
export class Gdal {
  private broken = false;
  private readonly freed = new FinalizationRegistry<number>((transformation) => {
    if (!this.broken) this.module._OCTDestroyCoordinateTransformation(transformation);
  });
  /** Room for one position: x, y and z. */
  private readonly position: number;
  private readonly wgs84: number;

  private constructor(
    private readonly module: GdalModule,
    private readonly messages: string[],
  ) {
    module._GDALAllRegister();
    this.position = module._malloc(24);
    this.wgs84 = this.parse(WGS84);
  }

  static async load(): Promise<Gdal> {
    const { default: createModule } = await import('gdal3.js/build/package/gdal3WebAssembly.js');
    const folder = path.join(
      path.dirname(createRequire(import.meta.url).resolve('gdal3.js/package.json')),
      'dist',
      'package',
    );
    const data = await readFile(path.join(folder, 'gdal3WebAssembly.data'));
    const messages: string[] = [];
    const module = await createModule({
      locateFile: (name) => path.join(folder, name),
      getPreloadedPackage: () => new Uint8Array(data).buffer,
      print: () => {},
      printErr: (line) =>
        messages.length < 10 && messages.push(line.replace(/^(?:ERROR|Warning) \d+: (?:PROJ: )?(?:proj_\w+: )?/, '')),
      preRun: [
        ({ ENV }) => {
          Object.assign(ENV, {
            PROJ_LIB: '/usr/share/proj',
            GDAL_DATA: '/usr/share/gdal',
            GDAL_NUM_THREADS: '0',
            CPL_MAX_ERROR_REPORTS: '-1',
            GDAL_PAM_ENABLED: 'NO',
          });
        },
      ],
    });
    return new Gdal(module, messages);
  }

  /** False after a trap, such as exhausted memory. */
  get isUsable(): boolean {
    return !this.broken;
  }

  /**
   * WKT of the system that a definition names: a code, WKT 1 or 2, ESRI's WKT, a PROJ string or PROJJSON.
   * @throws {GdalError}
   */
  wktOf(definition: string, format: WktFormat = 'WKT2_2019'): string {
    return this.guarded(() => this.withSystem(definition, (system) => this.export(system, format)));
  }

  /**
   * Transforms between a system and longitude and latitude in WGS 84, by the operation that PROJ prefers at each
   * position among those that need no grid.
   * @throws {GdalError} when there is no operation, for example from another celestial body
   */
  transforms(definition: string): { readonly toWgs84: Transform; readonly fromWgs84: Transform } {
    return this.guarded(() =>
      this.withSystem(definition, (system) => ({
        toWgs84: this.transform(system, this.wgs84),
        fromWgs84: this.transform(this.wgs84, system),
      })),
    );
  }

  /** WKT 2 of the system that a GeoTIFF names; null when it names none. @throws {GdalError} */
  wktOfGeoTiff(bytes: Uint8Array): string | null {
    const file = '/read.tif';
    return this.guarded(() => {
      this.module.FS.writeFile(file, bytes);
      const dataset = this.module.ccall(
        'GDALOpenEx',
        'number',
        ['string', 'number', 'number', 'number', 'number'],
        [file, OPEN_RASTER, 0, 0, 0],
      );
      try {
        if (dataset === 0) throw this.error();
        const system = this.module._GDALGetSpatialRef(dataset);
        return system === 0 ? null : this.export(system);
      } finally {
        if (dataset !== 0) this.module._GDALClose(dataset);
        this.module.FS.unlink(file);
      }
    });
  }

  /** PROJJSON of the system that a definition names. @throws {GdalError} */
  projJsonOf(definition: string): object {
    const { module } = this;
    const file = '/described.tif';
    const image = this.geoTiffOf(definition);
    return this.guarded(() => {
      module.FS.writeFile(file, image);
      const open = ['string', 'number', 'number', 'number', 'number'] as const;
      const dataset = module.ccall('GDALOpenEx', 'number', open, [file, OPEN_RASTER, 0, 0, 0]);
      if (dataset === 0) throw this.error();
      const pair = ['number', 'number'] as const;
      const options = module.ccall('GDALInfoOptionsNew', 'number', pair, [this.textList(['-json']), 0]);
      const text = module.ccall('GDALInfo', 'number', pair, [dataset, options]);
      const { stac } = JSON.parse(module.UTF8ToString(text)) as { stac: Readonly<Record<string, object>> };
      module._free(text);
      module.ccall('GDALInfoOptionsFree', null, ['number'], [options]);
      module._GDALClose(dataset);
      module.FS.unlink(file);
      const found = stac['proj:projjson'];
      if (!found) throw new GdalError('the system has no PROJJSON');
      return found;
    });
  }

  /** A GeoTIFF of one pixel in the system of a definition. @throws {GdalError} */
  geoTiffOf(definition: string): Uint8Array {
    const file = '/written.tif';
    const { module } = this;
    return this.guarded(() => {
      const wkt = this.withSystem(definition, (system) => this.export(system));
      const driver = module.ccall('GDALGetDriverByName', 'number', ['string'], ['GTiff']);
      const dataset = module.ccall(
        'GDALCreate',
        'number',
        ['number', 'string', 'number', 'number', 'number', 'number', 'number'],
        [driver, file, 1, 1, 1, GDAL_BYTE, 0],
      );
      if (dataset === 0) throw this.error();
      const failed = module.ccall('GDALSetProjection', 'number', ['number', 'string'], [dataset, wkt]);
      module._GDALClose(dataset);
      const bytes = module.FS.readFile(file);
      module.FS.unlink(file);
      if (failed !== 0) throw this.error();
      return bytes;
    });
  }

  /**
   * Makes a vector file of another, as `ogr2ogr` does.
   * @param from @param to paths in its own file system, with the extensions of the formats
   * @throws {GdalError}
   */
  convertVector(bytes: Uint8Array, from: string, to: string, options: readonly string[]): Uint8Array {
    const { module } = this;
    return this.guarded(() => {
      module.FS.writeFile(from, bytes);
      const open = ['string', 'number', 'number', 'number', 'number'] as const;
      const source = module.ccall('GDALOpenEx', 'number', open, [from, OPEN_VECTOR, 0, 0, 0]);
      if (source === 0) throw this.error();
      const [list, given] = [this.textList(options), module._malloc(4)];
      const parsed = module.ccall('GDALVectorTranslateOptionsNew', 'number', ['number', 'number'], [list, 0]);
      if (parsed === 0) throw this.error();
      module.HEAP32[given / 4] = source;
      const translate = ['string', 'number', 'number', 'number', 'number', 'number'] as const;
      const made = module.ccall('GDALVectorTranslate', 'number', translate, [to, 0, 1, given, parsed, 0]);
      module.ccall('GDALVectorTranslateOptionsFree', null, ['number'], [parsed]);
      if (made !== 0) module._GDALClose(made);
      module._GDALClose(source);
      module.FS.unlink(from);
      if (made === 0) throw this.error();
      const written = module.FS.readFile(to);
      module.FS.unlink(to);
      return written;
    });
  }

  /** Codes of EPSG that name a system of two coordinates, in order. @throws {GdalError} */
  epsgCodes(): number[] {
    const kinds = "auth_name = 'EPSG' AND type IN ('geographic 2D', 'projected')";
    const sql = `SELECT CAST(code AS INTEGER) AS code FROM crs_view WHERE ${kinds} ORDER BY 1`;
    const database = this.guarded(() => this.module.FS.readFile('/usr/share/proj/proj.db'));
    const csv = this.convertVector(database, '/codes.db', '/codes.csv', ['-f', 'CSV', '-sql', sql]);
    return Buffer.from(csv).toString().trim().split('\n').slice(1).map(Number);
  }

  /** A list of C strings that ends with null; it is never freed. */
  private textList(texts: readonly string[]): number {
    const { module } = this;
    const list = module._malloc(4 * (texts.length + 1));
    for (const [index, text] of texts.entries()) {
      const bytes = Buffer.from(`${text}\0`);
      const at = module._malloc(bytes.length);
      new Uint8Array(module.HEAP32.buffer).set(bytes, at);
      module.HEAP32[list / 4 + index] = at;
    }
    module.HEAP32[list / 4 + texts.length] = 0;
    return list;
  }

  private withSystem<T>(definition: string, use: (system: number) => T): T {
    const system = this.parse(definition);
    try {
      return use(system);
    } finally {
      this.module._OSRDestroySpatialReference(system);
    }
  }

  private parse(definition: string): number {
    const system = this.module._OSRNewSpatialReference(0);
    const failed = this.module.ccall('OSRSetFromUserInput', 'number', ['number', 'string'], [system, definition]);
    if (failed !== 0) {
      this.module._OSRDestroySpatialReference(system);
      throw this.error('the definition cannot be interpreted');
    }
    this.module._OSRSetAxisMappingStrategy(system, TRADITIONAL_GIS_ORDER);
    return system;
  }

  private export(system: number, format: WktFormat = 'WKT2_2019'): string {
    const { module } = this;
    module.ccall('CPLSetConfigOption', null, ['string', 'string'], ['OSR_WKT_FORMAT', format]);
    const pointer = module._malloc(4);
    module._OSRExportToWkt(system, pointer);
    const text = module.HEAP32[pointer / 4]!;
    const wkt = module.UTF8ToString(text);
    module._free(text);
    module._free(pointer);
    return wkt;
  }

  private transform(from: number, to: number): Transform {
    const { module, position } = this;
    const transformation = module._OCTNewCoordinateTransformation(from, to);
    if (transformation === 0) throw this.error();
    const at = position / 8;
    const transform: Transform = (x, y) =>
      this.guarded(() => {
        const { HEAPF64: before } = module;
        before[at] = x;
        before[at + 1] = y;
        before[at + 2] = 0;
        const done = module._OCTTransform(transformation, 1, position, position + 8, position + 16);
        const { HEAPF64: after } = module; // growing memory replaces the view
        return done === 1 && Number.isFinite(after[at]) ? [after[at]!, after[at + 1]!] : [Number.NaN, Number.NaN];
      });
    this.freed.register(transform, transformation);
    return transform;
  }

  /** The first message since the call began: later ones only say that it failed. */
  private error(otherwise = 'no reason given'): GdalError {
    return new GdalError(this.messages[0] ?? otherwise);
  }

  private guarded<T>(call: () => T): T {
    if (this.broken) throw new Error('GDAL ended earlier; load it anew');
    this.messages.length = 0;
    try {
      return call();
    } catch (error) {
      if (!(error instanceof GdalError)) this.broken = true;
      throw error;
    }
  }
}
