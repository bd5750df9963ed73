import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');
const cert = readFileSync(path.join(FIXTURES, 'localhost-cert.pem'), 'utf8');
const key = readFileSync(path.join(FIXTURES, 'localhost-key.pem'), 'utf8');

/** A message as it arrived. */
export interface Received {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the receiver does with the next messages: a status, or silence. */
export type Answer = { readonly status: number; readonly headers?: Record<string, string> } | 'silence';

/** A server of webhooks on this machine. */
export interface Receiver {
  readonly url: string;
  readonly cert: string;
  readonly received: Received[];
  answer: Answer;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const receiver: { received: Received[]; answer: Answer } = { received: [], answer: { status: 204 } };
  const server = createServer({ cert, key }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const { type, data } = JSON.parse(body) as Pick<Received, 'type' | 'data'>;
      const headers = request.headers as Record<string, string>;
      receiver.received.push({ id: String(headers['webhook-id']), headers, body, type, data });
      if (receiver.answer === 'silence') return;
      response.writeHead(receiver.answer.status, receiver.answer.headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `https://files.example:${port}/hook`,
    cert,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
