import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { EventRepository, OutboxRepository } from '../../src/event/event.repository.ts';
import type { RequestedFilter } from '../../src/feature/check-filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService } from '../../src/feature/feature.service.ts';
import { createLogger } from '../../src/logging.ts';
import { ReviewRepository } from '../../src/review/review.repository.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { ViewRepository } from '../../src/view/view.repository.ts';
import { ViewService } from '../../src/view/view.service.ts';
import { DeliveryQueueRepository } from '../../src/webhook/delivery-queue.repository.ts';
import { DeliveryPlanner } from '../../src/webhook/plan-deliveries.ts';
import { MessageSender, type SenderOptions } from '../../src/webhook/send-message.ts';
import { WebhookRepository } from '../../src/webhook/webhook.repository.ts';
import { type RequestedWebhook, WebhookService } from '../../src/webhook/webhook.service.ts';
import { WebhookWorker } from '../../src/webhook/webhook-worker.ts';
import { newScene } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { storeFeatures } from '../feature/stored-features.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { allVisible } from './visible-events.ts';

const HOUR_MS = 3600_000;

let database: Database;
let receiver: Receiver;
let service: WebhookService;
let features: FeatureService;
let now = Date.now();
const workers: WebhookWorker[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  features = new FeatureService(new FeatureRepository(database), { maxVertices: 1000, nearM: 50 });
  const views = new ViewService(new ViewRepository(database), features);
  service = new WebhookService(new WebhookRepository(database), features, views, 'tester');
});
beforeEach(async () => {
  await database.execute(Prisma.sql`DELETE FROM webhook`);
  now = Date.now();
  receiver = await startReceiver();
  return () => receiver.close();
});
afterAll(async () => {
  await Promise.all(workers.map((each) => each.close()));
  await database.close();
});

/** A process that delivers, by the clock of the test; nobody wakes it but the test. */
function worker(options: SenderOptions = {}): Pick<WebhookWorker, 'work'> {
  const queue = new DeliveryQueueRepository(database.forRuns);
  const logger = createLogger('silent');
  const partsOf = () => ({ events: new EventRepository(database), features });
  const made = new WebhookWorker({
    queue,
    planner: new DeliveryPlanner(queue, partsOf, logger),
    sender: new MessageSender({
      ca: receiver.cert,
      resolver: here,
      isAllowed: () => true,
      timeoutMs: 20_000,
      ...options,
    }),
    outbox: new OutboxRepository(database.forRuns),
    feed: { onEvents: () => () => undefined },
    logger,
    clock: () => new Date(now),
  });
  workers.push(made);
  return {
    async work() {
      await visible();
      await made.work();
    },
  };
}

const visible = (): Promise<void> => allVisible(database);
const here = async () => [{ address: '127.0.0.1', family: 4 }];

const hook = (changes: Partial<RequestedWebhook> = {}) =>
  service.create({
    url: receiver.url,
    description: '',
    events: ['scene.registered'],
    filter: null,
    view: null,
    ...changes,
  });
const register = async (name: string): Promise<string> =>
  (await new SceneRepository(database).insert(newScene({ name }))).id;
const namesOf = (): string[] => receiver.received.map(({ data }) => String(data['name']));
const onlyDelivery = async (webhookId: string) =>
  (await service.deliveries(webhookId, { state: null, first: 10, after: null }))[0]!;

describe('a webhook', () => {
  it('receives events after its creation, signed with its secret', async () => {
    await register('before');
    await allVisible(database);
    const { secret } = await hook();
    const sceneId = await register('after');
    await worker().work();
    expect(receiver.received).toHaveLength(1);
    const [message] = receiver.received;
    expect(message).toMatchObject({ type: 'scene.registered', data: { sceneId, name: 'after' } });
    expect(new Verifier(secret).verify(message!.body, { ...message!.headers })).toMatchObject({
      type: 'scene.registered',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    });
  });

  it('has no message of a change that was rolled back', async () => {
    const { webhook } = await hook();
    await database
      .transaction(async (queries) => {
        await queries.execute(Prisma.sql`
          INSERT INTO scene SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).* FROM scene AS s LIMIT 1`);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await worker().work();
    expect(await service.deliveries(webhook.id, { state: null, first: 10, after: null })).toEqual([]);
  });

  it.each(['', 'bnVsbA=='])('tells no messages after %j, which is no identifier', async (after) => {
    const { webhook } = await hook();
    const asked = async () => service.deliveries(webhook.id, { state: null, first: 1, after });
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_ID' });
  });

  it('with a filter receives only features that match, and no message without any', async () => {
    const events = ['features.added', 'features.reviewed'] as const;
    const filter: RequestedFilter = { areaM2: { min: 15_000 } };
    await hook({ events: [...events], filter });
    const { ids, names } = await storeFeatures(database);
    await worker().work();
    const told = receiver.received.map(({ type, data }) => [
      type,
      data['segmentationId'],
      (data['featureIds'] as string[]).map((id) => names.get(id)),
    ]);
    expect(told).toEqual([
      ['features.added', ids.water, ['w2']],
      ['features.added', ids.pacific, ['p1']],
    ]);
    const reviewed = [...names].filter(([, name]) => name === 'w1' || name === 'w2').map(([id]) => id);
    const verdict = { status: 'ACCEPTED', label: null, note: null, by: 'tester' } as const;
    await new ReviewRepository(database).put(reviewed, verdict, null);
    await worker().work();
    expect(receiver.received.at(-1)).toMatchObject({ type: 'features.reviewed', data: { featureCount: 1 } });
  });

  it('receives a message again after a failure, with the same identifier and in the order of its objects', async () => {
    await hook({ events: ['scene.registered'] });
    receiver.answer = { status: 500 };
    await register('first');
    const one = worker();
    await one.work();
    await one.work();
    expect(namesOf()).toEqual(['first']);
    receiver.answer = { status: 200 };
    now += 10_000;
    await one.work();
    expect(namesOf()).toEqual(['first', 'first']);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  });

  it('that is down for an hour gets everything once it is back, in order for each object', async () => {
    await hook({ events: ['segmentation.succeeded', 'features.added'] });
    receiver.answer = 'silence';
    const { ids } = await storeFeatures(database);
    const impatient = worker({ timeoutMs: 300 });
    const back = now + HOUR_MS;
    while (now < back) {
      await impatient.work();
      now += HOUR_MS / 6;
    }
    receiver.received.length = 0;
    receiver.answer = { status: 204 };
    for (let step = 0; step < 6; step++) {
      now += 6 * HOUR_MS;
      await worker().work();
    }
    const water = receiver.received.filter(({ data }) => data['segmentationId'] === ids.water);
    expect(water.map(({ type }) => type)).toEqual(['segmentation.succeeded', 'features.added']);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(receiver.received.length);
    expect(receiver.received).toHaveLength(8);
  });

  it('that never answers is paused after three days, with the reason; its message is dead and can be sent again', async () => {
    const { webhook } = await hook();
    receiver.answer = { status: 503 };
    await register('lost');
    const one = worker();
    for (let step = 0; step < 16; step++) {
      await one.work();
      now += 6.5 * HOUR_MS;
    }
    const paused = await service.byId(webhook.id);
    expect(paused).toMatchObject({ state: 'PAUSED', pausedReason: expect.stringContaining('No message') as string });
    const dead = await onlyDelivery(webhook.id);
    expect(dead).toMatchObject({ state: 'DEAD' });
    expect(dead.answers.at(-1)).toMatchObject({ status: 503 });

    receiver.answer = { status: 200 };
    await service.resume(webhook.id);
    await service.resend([dead.id]);
    now = Date.now() + 1;
    await one.work();
    expect(await onlyDelivery(webhook.id)).toMatchObject({ id: dead.id, state: 'DELIVERED' });
    expect(receiver.received.at(-1)!.id).toBe(dead.id);
    expect(await service.byId(webhook.id)).toMatchObject({ state: 'ACTIVE', failingSince: null });
  });

  it('that answers 410 is paused at once, and continues where it was when it is resumed', async () => {
    const { webhook } = await hook();
    receiver.answer = { status: 410 };
    await register('kept');
    const one = worker();
    await one.work();
    await register('meanwhile');
    await one.work();
    expect(namesOf()).toEqual(['kept']);
    expect(await service.byId(webhook.id)).toMatchObject({
      state: 'PAUSED',
      pausedReason: expect.any(String) as string,
    });
    receiver.answer = { status: 200 };
    await service.resume(webhook.id);
    now += 24 * HOUR_MS;
    await worker().work();
    expect(namesOf().toSorted()).toEqual(['kept', 'kept', 'meanwhile']);
  });

  it('is not sent to another address by a redirect, nor to an address that is not public', async () => {
    const { webhook } = await hook();
    receiver.answer = { status: 302, headers: { location: 'https://169.254.169.254/latest' } };
    await register('redirected');
    await worker().work();
    expect((await onlyDelivery(webhook.id)).answers).toMatchObject([{ status: 302 }]);
    receiver.received.length = 0;
    now += HOUR_MS;
    // Allowed when it was made, the name leads inside now.
    await new MessageSender({ ca: receiver.cert, resolver: here })
      .send({ id: 'a', url: receiver.url, secrets: ['whsec_AAAA'], body: '{}' }, new Date(now))
      .then((answered) =>
        expect(answered).toMatchObject({ status: null, text: expect.stringContaining('not a public') as string }),
      );
    expect(receiver.received).toEqual([]);
  });

  it('is signed with the former secret too until the overlap is over', async () => {
    const { webhook, secret } = await hook();
    const next = await service.rotateSecret(webhook.id, 3600);
    await register('both');
    await worker().work();
    now += 2 * HOUR_MS;
    await register('one');
    await worker().work();
    const verifies = (by: string): boolean[] =>
      receiver.received.map(({ body, headers }) => {
        const stamped = { ...headers, 'webhook-timestamp': headers['webhook-timestamp']! };
        const signature = new Verifier(by).sign(
          headers['webhook-id']!,
          new Date(Number(stamped['webhook-timestamp']) * 1000),
          body,
        );
        return headers['webhook-signature']!.split(' ').includes(signature);
      });
    expect(verifies(secret)).toEqual([true, false]);
    expect(verifies(next.secret)).toEqual([true, true]);
  });

  it('is attempted by one of several processes, and again when that one ends in the middle', async () => {
    const { webhook } = await hook();
    for (let i = 0; i < 10; i++) await register(`scene ${i}`);
    await Promise.all([worker(), worker(), worker()].map((each) => each.work()));
    expect(namesOf().toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `scene ${i}`));

    await register('crashed');
    const queue = new DeliveryQueueRepository(database.forRuns);
    const idle = worker({});
    await visible();
    await new DeliveryPlanner(
      queue,
      () => ({ events: new EventRepository(database), features }),
      createLogger('silent'),
    ).plan(new Date(now));
    expect(await queue.take([], new Date(now), new Date(now + 60_000))).toMatchObject({ webhookId: webhook.id });
    await idle.work();
    expect(namesOf()).not.toContain('crashed');
    now += 61_000;
    await idle.work();
    expect(namesOf().at(-1)).toBe('crashed');
  });
});
