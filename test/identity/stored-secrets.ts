import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import type { Services } from '../../src/services.ts';
import { box, featuresOf, newScene, resultOf, startSegmentation } from '../database/seeds.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import type { Ids } from './example-operations.ts';

/** What a workspace has stored, and the texts that tell of it. */
export interface Secrets {
  readonly ids: Ids;
  readonly texts: readonly string[];
}

/** Stores one of everything in the default workspace. */
export async function storedSecrets(database: Database, services: Services, model: string): Promise<Secrets> {
  const scene = await new SceneRepository(database).insert(newScene({ name: 'Zauberwald' }));
  const store = new SegmentationRepository(database);
  const segmentation = await startSegmentation(database, scene.id, { prompt: 'Where is the hidden meadow?' });
  await store.storeResult(segmentation, resultOf(featuresOf(box(10.2, 50.2, 10.3, 50.3), box(10.4, 50.4, 10.5, 50.5))));
  const found = await services.features.find({ segmentationId: segmentation.id }, undefined, { first: 2 });
  const feature = found.edges[0]!.node.id;
  await services.reviews.put([feature], { status: 'ACCEPTED', label: 'clearing', note: 'seen from the ridge' }, null);
  const view = await services.views.create({ slug: 'ridge-view', name: 'Ridge', filter: {}, order: null, style: null });
  const { key } = await services.apiKeys.create({ name: 'watchtower', role: 'viewer', expiresAt: null });
  // The first sweep of the folder may be under way, and takes what is half-written.
  const upload = await vi.waitFor(() => services.uploads.createUpload('field.tif', 3), { timeout: 10_000 });
  const made = await services.storedExports.create('CSV', {
    filter: {},
    order: undefined,
    limit: undefined,
    precision: undefined,
  });
  const questions = { task: 'REASONING', scale: 'AUTO', threshold: 0.5, minAreaM2: 0, areaOfInterest: null } as const;
  const prompts = ['Where is the hidden meadow?'];
  const job = await services.jobs.segment({ ids: [scene.id] }, { ...questions, prompts, force: false });
  const { webhook } = await services.webhooks.create({
    url: 'https://hooks.example/watchtower',
    description: 'watchtower',
    events: ['scene.registered'],
    filter: null,
    view: null,
  });
  const delivery = randomUUID();
  await database.execute(Prisma.sql`
    INSERT INTO webhook_delivery (id, webhook_id, event_id, type, object_id, body, state, due_at, created_at, finished_at)
    VALUES (${delivery}::uuid, ${webhook.id}::uuid, 0, 'scene.registered', ${scene.id}::uuid, '{}', 'DEAD', now(), now(), now())`);
  const ids = {
    scene: scene.id,
    segmentation: segmentation.id,
    feature,
    view: view.id,
    job: job.id,
    webhook: webhook.id,
    delivery,
    slug: view.slug,
    apiKey: key.id,
    upload: upload.id,
    export: made.id,
    model,
  };
  const texts = [
    'Zauberwald',
    'hidden meadow',
    'seen from the ridge',
    'ridge-view',
    'watchtower',
    scene.id,
    segmentation.id,
    feature,
    view.id,
    job.id,
    webhook.id,
    delivery,
    key.id,
    made.id,
  ];
  return { ids, texts };
}
