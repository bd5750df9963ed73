/** A rectangle of whole pixels in the scene frame: column and row of its top-left pixel, width and height in pixels. */
export interface PixelWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
