import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { areaText } from '../measure-text.ts';
import type { Service } from './application/ask.ts';
import { parseCounts, parseNumber, parseNumbers, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { Progress, withProgress } from './terminal/progress.ts';
import { type CommandContext, withService } from './application/run-command.ts';
import { errorLine, type Terminal, UsageError } from './terminal/terminal.ts';

const REGISTER = `mutation Register($input: RegisterSceneInput!) {
  registerScene(input: $input) { id name source sha256 widthPx heightPx bands dtype crs gsdM areaM2 acquiredAt }
}`;
const CREATE_UPLOAD = `mutation CreateUpload($filename: String!, $sizeBytes: Float!) {
  createUpload(filename: $filename, sizeBytes: $sizeBytes) { id url }
}`;

export const RegisteredScene = z.object({
  id: z.string(),
  name: z.string(),
  source: z.string(),
  sha256: z.string(),
  widthPx: z.number(),
  heightPx: z.number(),
  bands: z.number(),
  dtype: z.string(),
  crs: z.string().nullable(),
  gsdM: z.number().nullable(),
  areaM2: z.number().nullable(),
  acquiredAt: z.string().nullable(),
});
export type RegisteredScene = z.infer<typeof RegisteredScene>;

/** The server refused the upload. */
export class UploadRefusedError extends AppError {
  readonly code = 'UPLOAD_REFUSED';
  /** @param body of the answer, `{ "error": { "message" } }` if the service wrote it */
  constructor(status: number, body: string) {
    const told = RefusalBody.safeParse(body);
    super(told.success ? told.data.error.message : `The server answered the upload with status ${status}.`);
  }
}

const RefusalBody = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(z.object({ error: z.object({ message: z.string() }) }));

interface RegisterOptions extends ServiceOptions {
  readonly name?: string;
  readonly bounds?: number[];
  readonly bands?: number[];
  readonly acquiredAt?: string;
  readonly upload?: boolean;
  readonly zoom?: number;
  readonly attribution?: string;
}

/** Adds `terraql register`. */
export function addRegister(program: Command, context: CommandContext): void {
  const command = program
    .command('register')
    .description('register an image as a scene: a file on the server, an https address, or a part of a tile service')
    .argument(
      '<image>',
      'path or https:// address of a GeoTIFF, COG, PNG, JPEG or WebP, or address of tiles with {z}, {x} and {y}',
    )
    .option('--name <name>', 'name of the scene (default: file name)')
    .option(
      '--bounds <w,s,e,n>',
      'extent in WGS 84, of an image without georeference or of the tiles to read',
      parseNumbers(4, 'west,south,east,north'),
    )
    .option(
      '--bands <r,g,b>',
      'bands shown as red, green and blue, counted from 1',
      parseCounts(3, 'three whole numbers of at least 1'),
    )
    .option('--acquired-at <time>', 'acquisition time, ISO 8601')
    .option('--zoom <z>', 'zoom of the tiles to read', parseNumber)
    .option('--attribution <text>', 'whom the tile service wants to be named')
    .option('--upload', 'send the file to the server instead of its path');
  withServiceOptions(command).action((image: string, options: RegisterOptions) =>
    withService(
      context,
      options,
      async ({ service, terminal }) => {
        const { name, bands, acquiredAt } = options;
        const input = { ...(await source(service, terminal, image, options)), name, bands, acquiredAt };
        const scene = await register(service, terminal, input, path.basename(image));
        terminal.write(options.json ? `${JSON.stringify(scene)}\n` : describe(scene));
      },
      { progress: false },
    ),
  );
}

/** Registers a scene. @param label name of the image in the progress bar */
export async function register(
  service: Service,
  terminal: Terminal,
  input: Readonly<Record<string, unknown>>,
  label: string,
): Promise<RegisteredScene> {
  const { registerScene } = await withProgress(terminal, `Registering ${label}`, () =>
    service.ask(z.object({ registerScene: RegisteredScene }), REGISTER, { input }),
  );
  return registerScene;
}

async function source(
  service: Service,
  terminal: Terminal,
  image: string,
  { upload, bounds, zoom, attribution }: RegisterOptions,
): Promise<Record<string, unknown>> {
  if (zoom !== undefined) {
    if (!bounds) throw new UsageError('--zoom reads tiles, and needs --bounds west,south,east,north.');
    return { tiles: { template: image, zoom, bounds, attribution } };
  }
  if (attribution !== undefined) throw new UsageError('--attribution belongs to tiles, which --zoom reads.');
  if (upload) return { uploadId: await send(service, terminal, image), bounds };
  return { ...(/^[a-z][a-z\d+.-]+:\/\//i.test(image) ? { url: image } : { path: path.resolve(image) }), bounds };
}

/** Sends a file to the server. @returns identifier of the upload */
async function send(service: Service, terminal: Terminal, file: string): Promise<string> {
  if (service.url === null) {
    throw new UsageError(
      '--upload sends the file to a running server, but none is running; omit it to register the path.',
    );
  }
  const found = await stat(file).catch((error: unknown) => {
    throw new UsageError(`--upload ${file}: ${errorLine(error)}`);
  });
  if (!found.isFile()) throw new UsageError(`--upload ${file} is not a file.`);
  const { size } = found;
  const { createUpload } = await service.ask(
    z.object({ createUpload: z.object({ id: z.string(), url: z.string() }) }),
    CREATE_UPLOAD,
    { filename: path.basename(file), sizeBytes: size },
  );
  const progress = new Progress(terminal, `Sending ${path.basename(file)}`);
  let sent = 0;
  const bytes = createReadStream(file).on('data', (chunk) => {
    sent += chunk.length;
    progress.update(sent / size, `${(sent / 1e6).toFixed(1)} MB`);
  });
  try {
    const response = await fetch(createUpload.url, {
      method: 'PUT',
      body: Readable.toWeb(bytes) as ReadableStream<Uint8Array>,
      duplex: 'half',
    });
    if (!response.ok) throw new UploadRefusedError(response.status, await response.text());
  } finally {
    progress.stop();
  }
  return createUpload.id;
}

function describe({ id, name, widthPx, heightPx, bands, dtype, crs, gsdM, areaM2 }: RegisteredScene): string {
  const ground = gsdM === null ? 'no georeference' : `${crs}, ${gsdM.toPrecision(3)} m per pixel, ${areaText(areaM2)}`;
  return `Scene ${id}\n${name}: ${widthPx} x ${heightPx} pixels, ${bands} x ${dtype}, ${ground}\n`;
}
