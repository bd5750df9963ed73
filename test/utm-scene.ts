import { writeFile } from 'node:fs/promises';
import { writeArrayBuffer } from 'geotiff';

/**
 * Writes pixels as a GeoTIFF of 10 m a pixel in UTM 32N, at its central meridian.
 * @param rgb HWC uint8 `[heightPx, widthPx, 3]`
 */
export async function writeUtmScene(file: string, rgb: Uint8Array, widthPx: number, heightPx: number): Promise<void> {
  const tiff = writeArrayBuffer(rgb, {
    width: widthPx,
    height: heightPx,
    SamplesPerPixel: 3,
    PhotometricInterpretation: 2,
    ModelPixelScale: [10, 10, 0],
    ModelTiepoint: [0, 0, 0, 500_000, 5_600_000, 0],
    GTModelTypeGeoKey: 1,
    GTRasterTypeGeoKey: 1,
    ProjectedCSTypeGeoKey: 32_632,
  });
  await writeFile(file, new Uint8Array(tiff));
}
