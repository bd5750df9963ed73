import type { BandShow } from '../imagery/band-show.ts';
import type { Collar } from '../imagery/collar.ts';
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
  stretch: {
    args: { readonly rgbBands: readonly number[]; readonly collar?: Collar | null | undefined };
    answer: BandStretch[] | null;
  };
  collar: { args: { readonly rgbBands: readonly number[] }; answer: Collar | null };
  close: { args: null; answer: null };
}

export type DecoderVerb = keyof DecoderCalls;

/** A file that the service reads by range on behalf of the decoder, which has no network. */
export interface RemoteFile {
  readonly sizeBytes: number;
}

/** A request names its image by path or says that its bytes are fetched, so that any process can answer it. */
export interface DecoderRequest<Verb extends DecoderVerb = DecoderVerb> {
  readonly imageId: string;
  readonly file: string | RemoteFile;
  readonly verb: Verb;
  readonly args: DecoderCalls[Verb]['args'];
}

/** Bytes that a decoder needs to continue its request; the service answers with {@link FetchedRanges}. */
export interface RangesWanted {
  readonly wanted: readonly { readonly start: number; readonly end: number }[];
}

/** In the order that they were wanted in; or what was wrong. */
export type FetchedRanges = { readonly fetched: readonly Uint8Array[] } | { readonly unfetched: ReportedError };

/** An error as it passes between processes. */
export interface ReportedError {
  readonly code: string;
  readonly name: string;
  readonly message: string;
}

/** Requests are answered one at a time, in their order. */
export type DecoderReply =
  | { readonly answer: DecoderCalls[DecoderVerb]['answer'] }
  | { readonly refused: ReportedError }
  | { readonly failed: string };
