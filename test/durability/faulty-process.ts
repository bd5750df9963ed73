// A server that throws where nobody catches: in a listener of a raw socket, and in a promise that nobody waits for. Prints its
// address as JSON, then the message of every line that it logs.
import { pino } from 'pino';
import { listen } from '../../src/http/listen.ts';
import { createListener, upgradeWebSockets } from '../../src/http-listener.ts';
import { keepServing } from '../../src/last-resort.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const logger = pino({}, { write: (line) => say((JSON.parse(line) as { msg: string }).msg) });
const limits = { maxConnections: 20, requestTimeoutMs: 10_000 };
const server = createListener((_request, response) => response.end('whole'), logger, limits);
upgradeWebSockets(
  server,
  () => true,
  ({ url }, socket) => {
    if (url === '/promise') void Promise.reject(new Error('in a promise'));
    socket.on('data', () => {
      throw new Error('in a listener');
    });
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  },
);
keepServing(logger);
say(JSON.stringify({ url: (await listen(server, '127.0.0.1', 0)).url }));
