import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HEADER_LENGTH } from '../../src/inference/open-inference/message.ts';
import { phaseNotice } from '../../src/inference/phase-notice.ts';
import { remoteModels } from '../../src/inference/remote-model.ts';
import { ModelRegistry } from '../../src/inference/model-registry.ts';
import {
  ModelLateError,
  ModelUnavailableError,
  QuestionTooLongError,
  type Question,
  type SegmentationModel,
} from '../../src/inference/segmentation-model.ts';
import { noiseWindow } from '../model-server/inference-request.ts';
import { MODEL_PATH, type ServedModels, serveModels } from '../model-server/served-models.ts';
import { endThread } from './end-thread.ts';
import { MODELS_DIR } from './model-folder.ts';

const QUESTION: Question = { task: 'REASONING', text: 'Where could a boat moor?' };

describe('a remote model', { timeout: 180_000 }, () => {
  let served: ServedModels;
  const open: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    served = await serveModels();
  });
  afterAll(() => served.close());
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  /** The model as a client of these servers has it. */
  async function remote(urls: readonly string[], timeoutMs = 60_000): Promise<SegmentationModel> {
    const registry = await ModelRegistry.open(MODELS_DIR, 'segearth-r1-compact', remoteModels({ urls, timeoutMs }));
    open.push(() => registry.close());
    return registry.get();
  }
  /** A server that says of itself what the real one says, and answers questions in its own way. */
  async function standIn(answer: RequestListener, metadata: object = {}): Promise<{ url: string; server: Server }> {
    const told = (await (await fetch(`${served.url}${MODEL_PATH}`)).json()) as object;
    const server = createServer((request, response) => {
      if (request.url === MODEL_PATH) response.end(JSON.stringify({ ...told, ...metadata }));
      else if (request.url === `${MODEL_PATH}/ready`) response.end();
      else answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }
  const refusing = (status: number, error: string, headers: Record<string, string> = {}): RequestListener => {
    return (request, response: ServerResponse) => {
      request.resume().once('end', () => response.writeHead(status, headers).end(JSON.stringify({ error })));
    };
  };
  const window = (seed: number) => noiseWindow(served.model.manifest, seed);

  it('answers what the model answers in this process, bit for bit', async () => {
    const model = await remote([served.url]);
    const questions: Question[] = [QUESTION, { task: 'REFERRING', text: 'water' }];
    expect(await model.infer(window(1), questions)).toEqual(await served.model.infer(window(1), questions));
    expect(model.ready()).toBe(true);
    expect(model.executionProvider).toBe('cpu');
    expect(model.info).toEqual(served.model.info);
  });

  it('refuses at the door what needs no server', async () => {
    const model = await remote(['http://127.0.0.1:9']);
    await expect(model.infer(new Uint8Array(7), [QUESTION])).rejects.toThrow('The image has 7 bytes');
    const long = { ...QUESTION, text: 'water and '.repeat(500) };
    await expect(model.infer(window(1), [long])).rejects.toThrow(QuestionTooLongError);
    expect(() => model.check(long)).toThrow(QuestionTooLongError);
  });

  it('takes a server that is not there for an outage, and asks the other one', async () => {
    const alone = await remote(['http://127.0.0.1:9']);
    expect(alone.ready()).toBe(false);
    const refusal = alone.infer(window(1), [QUESTION]);
    await expect(refusal).rejects.toThrow(ModelUnavailableError);
    await expect(refusal).rejects.toThrow(/is unavailable: http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/);
    const both = await remote(['http://127.0.0.1:9', served.url]);
    expect((await both.infer(window(1), [QUESTION])).length).toBe(1);
  });

  it('continues with another server when one breaks off', async () => {
    const broken = await standIn((request) => request.socket.destroy());
    const model = await remote([broken.url, served.url]);
    for (let i = 0; i < 3; i++) expect((await model.infer(window(1), [QUESTION])).length).toBe(1);
    const alone = await remote([broken.url]);
    await expect(alone.infer(window(1), [QUESTION])).rejects.toMatchObject({ code: 'MODEL_CRASHED' });
  });

  it('tells a window that ended the model from an outage', async () => {
    const crashing = await serveModels();
    open.push(() => crashing.close());
    const model = await remote([crashing.url]);
    const inferTokens = crashing.model.inferTokens.bind(crashing.model);
    crashing.model.inferTokens = (...given) => {
      endThread(crashing.model);
      return inferTokens(...given);
    };
    const asked = model.infer(window(7), [QUESTION]);
    await expect(asked).rejects.toMatchObject({ code: 'MODEL_CRASHED' });
    await expect(asked).rejects.toThrow(/status 500: Model segearth-r1-compact\/1 crashed while processing the window/);
  });

  it('tells what the server does with a window, and of one that does not say so that it reasons', async () => {
    const phasesOf = async (model: SegmentationModel, image: Uint8Array): Promise<string[]> => {
      const phases: string[] = [];
      await model.infer(image, [QUESTION], undefined, (phase) => phases.push(phase)).catch(() => undefined);
      return phases;
    };
    const model = await remote([served.url]);
    const first = await phasesOf(model, window(8));
    expect([first[0], first.at(-1)]).toEqual(['encoding', 'reasoning']);
    expect(await phasesOf(model, window(8))).toEqual(['reasoning']);
    const silent = await remote([(await standIn(refusing(400, 'no'), { parameters: {} })).url]);
    expect(await phasesOf(silent, window(8))).toEqual(['reasoning']);
  });

  it('requests no interim answers from a server behind a proxy', async () => {
    const heard: unknown[] = [];
    const proxied = await standIn((request, response) => {
      heard.push(request.headers['terraql-phases']);
      request.resume().once('end', () => response.writeHead(400).end('{}'));
    });
    const ask = async (): Promise<void> => {
      const model = await remote([proxied.url]);
      await expect(model.infer(window(1), [QUESTION])).rejects.toMatchObject({ code: 'MODEL_REJECTED' });
    };
    await ask();
    proxied.server.prependListener('request', (_request, response: ServerResponse) =>
      response.setHeader('via', '1.1 edge'),
    );
    await ask();
    expect(heard).toEqual(['yes', undefined]);
  });

  it('comes back when the server does', async () => {
    let down = true;
    const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const headers = { [HEADER_LENGTH]: String(request.headers[HEADER_LENGTH.toLowerCase()]) };
      const body = Buffer.concat(parts);
      const answer = await fetch(`${served.url}${request.url}`, { method: 'POST', headers, body });
      response.setHeader(HEADER_LENGTH, answer.headers.get(HEADER_LENGTH)!);
      response.end(Buffer.from(await answer.arrayBuffer()));
    };
    const server = await standIn((request, response) => {
      if (down) request.socket.destroy();
      else void forward(request, response);
    });
    const model = await remote([server.url]);
    await expect(model.infer(window(1), [QUESTION])).rejects.toMatchObject({ code: 'MODEL_CRASHED' });
    down = false;
    await expect.poll(() => model.ready(), { timeout: 10_000 }).toBe(true);
    expect((await model.infer(window(1), [QUESTION])).length).toBe(1);
  });

  it.each([
    [503, 'loading', { 'retry-after': '7' }, { code: 'MODEL_UNAVAILABLE', retryAfterS: 7 }],
    [429, 'full', { 'retry-after': '3' }, { code: 'MODEL_UNAVAILABLE', retryAfterS: 3 }],
    [429, 'full', {}, { code: 'MODEL_UNAVAILABLE', retryAfterS: 1 }],
    [502, 'bad gateway', {}, { code: 'MODEL_UNAVAILABLE' }],
    [400, 'wrong shape', {}, { code: 'MODEL_REJECTED' }],
    [422, 'not this window', {}, { code: 'MODEL_REJECTED' }],
    [404, 'no such model', {}, { code: 'MODEL_REJECTED' }],
    [500, 'out of memory', {}, { code: 'MODEL_REJECTED' }],
  ])('tells an outage from a refusal: status %i, %s', async (status, error, headers, expected) => {
    const server = await standIn(refusing(status, error, headers));
    const model = await remote([server.url]);
    const asked = model.infer(window(1), [QUESTION]);
    await expect(asked).rejects.toMatchObject(expected);
    await expect(asked).rejects.toThrow(`status ${status}: ${error}`);
  });

  it('asks another server when one is full', async () => {
    const full = await standIn(refusing(429, 'full', { 'retry-after': '60' }));
    const model = await remote([full.url, served.url]);
    for (let seed = 1; seed <= 3; seed++) expect((await model.infer(window(1), [QUESTION])).length).toBe(1);
  });

  it('does not ask a server that has another model', async () => {
    const other = await standIn(refusing(500, 'never asked'), { parameters: { manifest_sha256: 'f'.repeat(64) } });
    const asked = (await remote([other.url])).infer(window(1), [QUESTION]);
    await expect(asked).rejects.toThrow('it serves the model of another manifest (SHA-256 ffff');
    const narrow = await standIn(refusing(500, 'never asked'), { parameters: {}, outputs: [] });
    await expect((await remote([narrow.url])).infer(window(1), [QUESTION])).rejects.toThrow(
      'its model has no output logits',
    );
  });

  it('rejects a malformed answer', async () => {
    const chatty = await standIn((request, response) => void request.resume().once('end', () => response.end('hello')));
    const asked = (await remote([chatty.url])).infer(window(1), [QUESTION]);
    await expect(asked).rejects.toThrow('the answer cannot be read: The message is not JSON');
    await expect(asked).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('waits no longer than it may', async () => {
    const silent = await standIn((request) => void request.resume());
    const asked = (await remote([silent.url], 300)).infer(window(1), [QUESTION]);
    await expect(asked).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    await expect(asked).rejects.toThrow(/no answer in/);
  });

  it.each([
    ['a window that was begun', true],
    ['one that waited', false],
  ])('tells %s from others when the time is over, here or at the server', async (_what, isBegun) => {
    const begin = ({ socket }: ServerResponse): void => void (isBegun && socket?.write(phaseNotice('encoding')));
    const silent = await standIn((request, response) => void request.resume().once('end', () => begin(response)));
    const late = refusing(503, 'no answer within 60 s', {
      'terraql-error-code': 'DEADLINE_EXCEEDED',
      'retry-after': '2',
    });
    const refuses = await standIn((request, response) => {
      begin(response);
      late(request, response);
    });
    for (const [{ url }, timeoutMs] of [[silent, 1000] as const, [refuses, 60_000] as const]) {
      const error: unknown = await (
        await remote([url], timeoutMs)
      )
        .infer(window(1), [QUESTION])
        .catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: expect.stringMatching(/no answer (with)?in/) });
      expect(error instanceof ModelLateError).toBe(isBegun);
    }
  });

  it('rejects with the reason of the signal inside a window, and breaks the request off', async () => {
    let brokenOff: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (brokenOff = resolve));
    let begun: () => void = () => undefined;
    const atWork = new Promise<void>((resolve) => (begun = resolve));
    const silent = await standIn((request, response) => {
      response.once('close', () => brokenOff());
      request.resume().once('end', () => begun());
    });
    const model = await remote([silent.url]);
    const reason = new Error('nobody waits any more');
    const controller = new AbortController();
    const asked = model.infer(window(1), [QUESTION], controller.signal);
    const refused = expect(asked).rejects.toBe(reason);
    await atWork;
    controller.abort(reason);
    await refused;
    await seen;
    await expect(model.infer(window(1), [QUESTION], controller.signal)).rejects.toBe(reason);
    // A request that its client broke off is no fault of the server.
    expect(model.ready()).toBe(true);
  });

  it('refuses more than 64 requests at once to a server instead of holding their windows', async () => {
    const silent = await standIn((request) => void request.resume());
    const model = await remote([silent.url]);
    const controller = new AbortController();
    const image = window(1);
    const asked = Array.from({ length: 500 }, () => model.infer(image, [QUESTION], controller.signal));
    const settled = Promise.allSettled(asked);
    await new Promise((resolve) => setTimeout(resolve, 200));
    controller.abort(new Error('enough'));
    const reasons = (await settled).map((answer) => ((answer as PromiseRejectedResult).reason as Error).message);
    expect(reasons.filter((message) => message === 'enough')).toHaveLength(64);
    expect(reasons.filter((message) => message.includes('64 requests are already in progress'))).toHaveLength(436);
  });
});
