import type { IncomingMessage, ServerResponse } from 'node:http';
import sharp from 'sharp';
import { RangeServer } from '../remote/range-server.ts';

export const TILE_PX = 128;

/** A picture of one colour that tells tiles apart. */
export function colourOf(x: number, y: number): [number, number, number] {
  return [10 + (x % 16) * 15, 10 + (y % 16) * 15, 128];
}

export async function tilePng(x: number, y: number, sidePx = TILE_PX): Promise<Buffer> {
  const [r, g, b] = colourOf(x, y);
  return sharp({ create: { width: sidePx, height: sidePx, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

/** A tile service over https: `/{z}/{x}/{y}.png` gives every tile in a colour of its own, unless a test says otherwise. */
export class TileServer {
  readonly asked: string[] = [];
  /** Answers a tile itself. @returns whether it did */
  trouble: (tile: { z: number; x: number; y: number }, response: ServerResponse, request: IncomingMessage) => boolean =
    () => false;
  private constructor(private readonly server: RangeServer) {
    server.other = (request, response) => void this.answer(request, response);
  }

  static async start(): Promise<TileServer> {
    return new TileServer(await new RangeServer().start());
  }

  get template(): string {
    return `${this.server.origin}/{z}/{x}/{y}.png?key=SECRET`;
  }

  get origin(): string {
    return this.server.origin;
  }

  client(): ReturnType<RangeServer['client']> {
    const retry = { attempts: 3, firstPauseMs: 2, maxPauseMs: 2000, requestMs: 30_000 };
    // No tile is late here but on a busy machine.
    return this.server.client({ idleMs: 30_000, retry });
  }

  reset(): void {
    this.asked.length = 0;
    this.trouble = () => false;
  }

  close(): void {
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(request.url!);
    const [, z, x, y] = /(\d+)\/(\d+)\/(\d+)\.png/.exec(request.url!)!.map(Number);
    if (this.trouble({ z: z!, x: x!, y: y! }, response, request)) return;
    response.writeHead(200, { 'content-type': 'image/png' }).end(await tilePng(x!, y!));
  }
}
