import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { AppError } from '../errors.ts';
import { decoderMemory } from '../imagery/decoder-memory.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import { openImage, openRanges } from '../imagery/open-image.ts';
import type {
  DecoderCalls,
  DecoderReply,
  DecoderRequest,
  DecoderSettings,
  DecoderVerb,
  FetchedRanges,
  RangesWanted,
} from './decoder-protocol.ts';
import { FetchedSource } from './fetched-source.ts';
import { reportedError } from './reported-error.ts';

/** Images that stay open; the least recently used one is closed first, and opened again when it is asked for. */
const MAX_OPEN = 8;

const settings = JSON.parse(process.argv[2]!) as DecoderSettings;
const memory = decoderMemory(settings.memoryBytes);
const images = new Map<string, Promise<ImageSource>>();

sharp.cache(false);
// Short of memory, Linux ends a decoder before the service; other systems have no such file.
await writeFile('/proc/self/oom_score_adj', '500').catch(() => undefined);

/** Fetches in progress, oldest first: messages keep their order. */
const fetches: ((answer: FetchedRanges) => void)[] = [];

function fetchRanges(message: RangesWanted): Promise<FetchedRanges> {
  return new Promise((resolve) => {
    fetches.push(resolve);
    process.send!(message);
  });
}

function opened(file: DecoderRequest['file']): Promise<ImageSource> {
  if (typeof file === 'string') return openImage(file, settings.maxPixels, memory);
  return openRanges(new FetchedSource(file.sizeBytes, fetchRanges), settings.maxPixels, memory);
}

async function imageOf({ imageId, file }: DecoderRequest): Promise<ImageSource> {
  const image = images.get(imageId) ?? opened(file);
  images.delete(imageId);
  images.set(imageId, image);
  if (images.size > MAX_OPEN) await close(images.keys().next().value!);
  return image.catch((error: unknown) => {
    images.delete(imageId);
    throw error;
  });
}

async function close(imageId: string): Promise<null> {
  const image = await images.get(imageId);
  images.delete(imageId);
  await image?.close();
  return null;
}

type Answers = {
  readonly [Verb in DecoderVerb]: (request: DecoderRequest<Verb>) => Promise<DecoderCalls[Verb]['answer']>;
};

const answers: Answers = {
  header: async (request) => (await imageOf(request)).header,
  async readRgb(request) {
    const { window, outWidthPx, outHeightPx, show } = request.args;
    return (await imageOf(request)).readRgb(window, outWidthPx, outHeightPx, show);
  },
  stretch: async (request) => (await imageOf(request)).stretch(request.args.rgbBands, request.args.collar),
  collar: async (request) => (await imageOf(request)).collar(request.args.rgbBands),
  close: ({ imageId }) => close(imageId),
};

async function reply<Verb extends DecoderVerb>(request: DecoderRequest<Verb>): Promise<DecoderReply> {
  try {
    return { answer: await answers[request.verb](request) };
  } catch (error) {
    if (error instanceof AppError) return { refused: reportedError(error) };
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (message: DecoderRequest | FetchedRanges) => {
  if ('verb' in message) void reply(message).then((answer) => process.send!(answer));
  else fetches.shift()?.(message);
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
