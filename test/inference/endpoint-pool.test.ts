import { beforeEach, describe, expect, it } from 'vitest';
import { EndpointFailure, EndpointPool, NoEndpointError } from '../../src/inference/endpoint-pool.ts';

const A = 'http://a';
const B = 'http://b';
const dead = () => new EndpointFailure('connection refused', 'dead');

describe('EndpointPool', () => {
  let clock = 0;
  let probes: string[] = [];
  let down: Set<string>;
  beforeEach(() => {
    clock = 0;
    probes = [];
    down = new Set();
  });

  const poolOf = (...urls: string[]) =>
    new EndpointPool(
      urls,
      async (url) => {
        probes.push(url);
        if (down.has(url)) throw dead();
      },
      () => clock,
    );
  /** Where the work is done; work on a server that is down fails. */
  const place = (pool: EndpointPool, content = 'x') =>
    pool.use(content, async (url) => {
      if (down.has(url)) throw dead();
      return url;
    });

  it('sends a request to the server with the fewest in progress', async () => {
    const pool = poolOf(A, B);
    const started: string[] = [];
    const release: (() => void)[] = [];
    const asked = Array.from({ length: 6 }, () =>
      pool.use('the same window', async (url) => {
        started.push(url);
        await new Promise<void>((resolve) => release.push(resolve));
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pool.outstanding).toBe(6);
    expect([A, B].map((url) => started.filter((used) => used === url).length)).toEqual([3, 3]);
    for (const done of release) done();
    await Promise.all(asked);
    expect(pool.outstanding).toBe(0);
  });

  it('sends equal content to the same server while both are idle, and spreads different content', async () => {
    const pool = poolOf(A, B);
    const places: string[] = [];
    for (let i = 0; i < 40; i++) places.push(await place(pool, `window ${i % 20}`));
    expect(places.slice(0, 20)).toEqual(places.slice(20));
    expect(new Set(places)).toEqual(new Set([A, B]));
  });

  it('probes a server before its first request, once for all who wait', async () => {
    const pool = poolOf(A);
    await Promise.all([place(pool), place(pool), place(pool)]);
    await place(pool);
    expect(probes).toEqual([A]);
  });

  it('takes a failing server out, continues with the others, and takes it back after a probe', async () => {
    const pool = poolOf(A, B);
    await place(pool);
    down.add(A);
    for (let i = 0; i < 10; i++) expect(await place(pool, String(i))).toBe(B);
    down.delete(A);
    clock += 700;
    expect(pool.isReady()).toBe(true); // probes A in passing
    await new Promise((resolve) => setTimeout(resolve, 5));
    const places = new Set<string>();
    for (let i = 0; i < 20; i++) places.add(await place(pool, String(i)));
    expect(places).toEqual(new Set([A, B]));
  });

  it('waits longer after every failed probe, and half a minute at most', async () => {
    const pool = poolOf(A);
    down.add(A);
    const times: number[] = [];
    for (; clock < 150_000; clock += 100) {
      const before = probes.length;
      await expect(place(pool)).rejects.toThrow(NoEndpointError);
      if (probes.length > before) times.push(clock);
    }
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    waits.forEach((wait, i) => {
      const expected = Math.min(30_000, 500 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(expected * 0.8);
      expect(wait).toBeLessThanOrEqual(expected * 1.2 + 100);
    });
    expect(waits.at(-1)).toBeGreaterThan(20_000);
  });

  it('says of every server why it does not answer, and when to ask again', async () => {
    const pool = poolOf(A, B);
    down.add(B);
    const failing = pool.use('x', () => Promise.reject(new EndpointFailure('status 503: loading', 'busy', 7)));
    await expect(failing).rejects.toThrow('http://a: status 503: loading; http://b: connection refused');
    clock += 1000;
    down.add(A);
    await expect(place(pool)).rejects.toMatchObject({ retryAfterS: expect.any(Number), failed: false });
  });

  it('leaves a busy server alone as long as it asks for, without a probe', async () => {
    const pool = poolOf(A);
    await place(pool);
    const busy = () => Promise.reject(new EndpointFailure('status 429: full', 'busy', 3));
    await expect(pool.use('x', busy)).rejects.toMatchObject({ retryAfterS: 3 });
    clock += 2900;
    await expect(place(pool)).rejects.toThrow('status 429: full');
    clock += 200;
    expect(await place(pool)).toBe(A);
    expect(probes).toEqual([A]);
  });

  it.each([3600, 1e9, Number.MAX_VALUE])(
    'asks a busy server again after 30 s, though it asks for %d s',
    async (retryAfterS) => {
      const pool = poolOf(A);
      await place(pool);
      const busy = () => Promise.reject(new EndpointFailure('status 503: busy', 'busy', retryAfterS));
      await expect(pool.use('x', busy)).rejects.toMatchObject({ retryAfterS: 30 });
      clock += 30_100;
      expect(await place(pool)).toBe(A);
    },
  );

  it('tells work that a server has no time left for from other outages', async () => {
    const pool = poolOf(A, B);
    const late = (url: string): Promise<string> =>
      Promise.reject(new EndpointFailure('status 503', url === A ? 'late' : 'busy', 3));
    await expect(pool.use('x', late)).rejects.toMatchObject({ late: true, broken: false, retryAfterS: 3 });
    await expect(place(pool)).rejects.toMatchObject({ late: false });
    clock += 3000;
    expect([A, B]).toContain(await place(pool));
    expect(probes.length).toBe(2);
  });

  it('does not try work on a third server that ended two', async () => {
    const pool = poolOf(A, B, 'http://c');
    await pool.probeAll();
    const asked: string[] = [];
    const ending = (url: string): Promise<string> => {
      asked.push(url);
      return Promise.reject(new EndpointFailure('other side closed', 'broken'));
    };
    await expect(pool.use('x', ending)).rejects.toMatchObject({ broken: true, failed: false });
    expect(asked).toHaveLength(2);
    expect([A, B, 'http://c'].filter((url) => !asked.includes(url))).toEqual([await place(pool)]);
  });

  it('tells a failure of the model everywhere from an outage', async () => {
    const pool = poolOf(A, B);
    let asked = 0;
    const failing = pool.use('x', () => {
      asked += 1;
      return Promise.reject(new EndpointFailure('status 500: out of memory', 'failed'));
    });
    await expect(failing).rejects.toMatchObject({ failed: true });
    expect(asked).toBe(2);
    expect(await place(pool)).toMatch(/^http/);
  });

  it('passes on what is no failure of a server, and holds it against none', async () => {
    const pool = poolOf(A);
    await expect(pool.use('x', () => Promise.reject(new RangeError('mine')))).rejects.toThrow(RangeError);
    expect(pool.isReady()).toBe(true);
    expect(pool.outstanding).toBe(0);
  });
});
