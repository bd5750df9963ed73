import type { BandShow } from '../imagery/band-show.ts';
import type { ImageHeader, RgbWindow } from '../imagery/image-source.ts';
import type { BandStretch } from '../raster/stretch.ts';
import type { PixelWindow } from '../raster/window.ts';

/** Settings of a decoder process, its only argument, as JSON. */
export interface DecoderSettings {
  readonly maxPixels: number;
  readonly memoryBytes: number;
}

/** What a decoder process is asked, and what it answers. */
export interface DecoderCalls {
  header: { args: null; answer: ImageHeader };
  readRgb: {
    args: {
      readonly window: PixelWindow;
      readonly outWidthPx: number;
      readonly outHeightPx: number;
      readonly show: BandShow;
    };
    answer: RgbWindow;
  };
  stretch: { args: { readonly rgbBands: readonly number[] }; answer: BandStretch[] | null };
  close: { args: null; answer: null };
}

export type DecoderVerb = keyof DecoderCalls;

/** A request names its image by path, so that any process can answer it. */
export interface DecoderRequest<Verb extends DecoderVerb = DecoderVerb> {
  readonly imageId: string;
  readonly path: string;
  readonly verb: Verb;
  readonly args: DecoderCalls[Verb]['args'];
}

/** Requests are answered one at a time, in their order. */
export type DecoderReply =
  | { readonly answer: DecoderCalls[DecoderVerb]['answer'] }
  | { readonly refused: { readonly code: string; readonly name: string; readonly message: string } }
  | { readonly failed: string };
