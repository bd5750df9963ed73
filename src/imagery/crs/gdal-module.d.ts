/** The part of Emscripten's module of GDAL that is called here; pointers are byte offsets into its memory. */
declare module 'gdal3.js/build/package/gdal3WebAssembly.js' {
  export interface GdalModule {
    readonly HEAP32: Int32Array;
    readonly HEAPF64: Float64Array;
    readonly FS: {
      writeFile(path: string, bytes: Uint8Array): void;
      readFile(path: string): Uint8Array;
      unlink(path: string): void;
      analyzePath(path: string): { readonly exists: boolean };
    };
    UTF8ToString(pointer: number): string;
    ccall(name: string, returns: 'number' | null, types: readonly string[], values: readonly unknown[]): number;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _CPLErrorReset(): void;
    _CPLGetLastErrorMsg(): number;
    _GDALAllRegister(): void;
    _GDALClose(dataset: number): number;
    _GDALGetSpatialRef(dataset: number): number;
    _OSRNewSpatialReference(wkt: number): number;
    _OSRDestroySpatialReference(system: number): void;
    _OSRExportToWkt(system: number, text: number): number;
    _OSRSetAxisMappingStrategy(system: number, strategy: number): void;
    _OCTNewCoordinateTransformation(from: number, to: number): number;
    _OCTDestroyCoordinateTransformation(transformation: number): void;
    _OCTTransform(transformation: number, count: number, x: number, y: number, z: number): number;
  }

  export interface GdalModuleOptions {
    locateFile(name: string): string;
    getPreloadedPackage(name: string): ArrayBuffer;
    print(line: string): void;
    printErr(line: string): void;
    readonly preRun: readonly ((module: { readonly ENV: Record<string, string> }) => void)[];
  }

  export default function createModule(options: GdalModuleOptions): Promise<GdalModule>;
}
