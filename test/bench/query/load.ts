import type { Pool } from 'undici';

/** A request, and the size of the right answer to it. */
export interface CheckedRequest {
  readonly path: string;
  /** JSON; null for a request without one, by GET. */
  readonly body: string | null;
  readonly answerBytes: number;
}

/** Share by which an answer may be longer or shorter unless given: sums of parallel workers differ in their last digits. */
const TOLERANCE = 0.01;

/** What came of a load. */
export interface Measured {
  /** Of each request, from the first byte sent to the last one received. */
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
}

/**
 * Sends requests from a number of clients, each its next one as soon as it has an answer.
 * @param requests taken in turn by all clients
 * @param tolerance share by which an answer may be longer or shorter
 * @throws when an answer is not as long as the one that was checked
 */
export async function load(
  pool: Pool,
  requests: readonly CheckedRequest[],
  clients: number,
  durationMs: number,
  tolerance = TOLERANCE,
): Promise<Measured> {
  const latenciesMs: number[] = [];
  const begunAt = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - begunAt < durationMs) {
      const request = requests[next++ % requests.length]!;
      const sentAt = performance.now();
      const bytes = await answerBytes(pool, request);
      latenciesMs.push(performance.now() - sentAt);
      if (Math.abs(bytes / request.answerBytes - 1) > tolerance) {
        throw new Error(
          `${request.path} answered with ${bytes} bytes, not the ${request.answerBytes} that were checked`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { latenciesMs, elapsedMs: performance.now() - begunAt };
}

/** Counts, and reads no further: what clients do with an answer is not the server's time. */
async function answerBytes(pool: Pool, { path, body }: CheckedRequest): Promise<number> {
  const answer = await send(pool, path, body);
  let bytes = 0;
  for await (const piece of answer) bytes += (piece as Buffer).length;
  return bytes;
}

/** @returns the answer's body @throws unless its status is 200 */
export async function send(pool: Pool, path: string, body: string | null): Promise<AsyncIterable<unknown>> {
  const answer = await pool.request(
    body === null
      ? { method: 'GET', path }
      : { method: 'POST', path, body, headers: { 'content-type': 'application/json' } },
  );
  if (answer.statusCode !== 200) throw new Error(`${path}: status ${answer.statusCode}: ${await answer.body.text()}`);
  return answer.body;
}
