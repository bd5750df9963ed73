import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RemoteOptions } from '../../src/remote/open-remote-files.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
/** A certificate for files.example that only tests trust. */
const cert = readFileSync(join(FIXTURES, 'localhost-cert.pem'), 'utf8');
const key = readFileSync(join(FIXTURES, 'localhost-key.pem'), 'utf8');

export interface ServedFile {
  bytes: Buffer;
  etag: string | null;
}

/** Answers a request itself, or lets the server do as it should. @returns whether it did */
type Trouble = (request: IncomingMessage, response: ServerResponse, range: { start: number; end: number }) => boolean;

/** An https server of files that answers ranges, and whatever trouble a test makes. */
export class RangeServer {
  readonly files = new Map<string, ServedFile>();
  readonly requests: { url: string; range: string | undefined; sent: number }[] = [];
  trouble: Trouble = () => false;
  /** Answers every other path. */
  other: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.writeHead(404).end();
  private readonly server: Server = createServer({ cert, key }, (request, response) => this.answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get origin(): string {
    return `https://files.example:${(this.server.address() as AddressInfo).port}`;
  }

  /** Settings of a client that may reach this server, and tries again soon. */
  client(options: Partial<RemoteOptions> = {}): RemoteOptions {
    return {
      maxBytes: 1e8,
      ca: cert,
      isAllowed: (address) => address === '127.0.0.1',
      resolver: async () => [{ address: '127.0.0.1', family: 4 }],
      idleMs: 300,
      retry: { attempts: 2, firstPauseMs: 5, maxPauseMs: 2000, requestMs: 5000 },
      ...options,
    };
  }

  get sentBytes(): number {
    return this.requests.reduce((sum, { sent }) => sum + sent, 0);
  }

  /** Forgets requests and trouble. */
  reset(): void {
    this.requests.length = 0;
    this.trouble = () => false;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url!.replace(/\?.*/, '');
    const file = this.files.get(path);
    if (!file) return this.other(request, response);
    const { bytes } = file;
    const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const range = {
      start: Number(asked?.[1] ?? 0),
      end: Math.min(Number(asked?.[2] ?? bytes.length) + 1, bytes.length),
    };
    const entry = { url: request.url!, range: request.headers.range, sent: 0 };
    this.requests.push(entry);
    if (this.trouble(request, response, range)) return;
    const { etag } = this.files.get(path)!;
    const headers = etag === null ? {} : { etag };
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...headers, 'accept-ranges': 'bytes', 'content-length': bytes.length }).end();
      return;
    }
    const ifRange = request.headers['if-range'];
    if (!asked || (ifRange !== undefined && ifRange !== etag)) {
      entry.sent = bytes.length;
      response.writeHead(200, headers).end(bytes);
      return;
    }
    const part = bytes.subarray(range.start, range.end);
    entry.sent = part.length;
    const contentRange = `bytes ${range.start}-${range.end - 1}/${bytes.length}`;
    response.writeHead(206, { ...headers, 'content-range': contentRange, 'content-length': part.length }).end(part);
  }
}
