import { AppError } from '../errors.ts';
import type { Page } from '../page.ts';
import type { GuardedHttp } from '../remote/guarded-http.ts';
import { stacImages, type StacQuery } from '../remote/stac-items.ts';
import type { SceneFilter, SceneService } from '../scene/scene.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { JobReference } from './job.ts';

/** Which scenes a job is about; exactly one of these. */
export interface JobScenes {
  readonly filter?: SceneFilter | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly stac?: StacQuery | undefined;
  readonly urls?: readonly string[] | undefined;
}

/** A request for a job has a value out of range, or no scenes. */
export class InvalidJobError extends AppError {
  readonly code = 'JOB_INVALID';
}

/** Scenes that are planned and stored at a time. */
const CHUNK = 500;
const MAX_IDS = 10_000;

/** A scene, or an image that is to become one. */
export interface Candidate {
  readonly scene: Scene | null;
  readonly reference: JobReference | null;
}

/** Lists the scenes of a job. */
export class JobSceneList {
  constructor(
    private readonly scenes: Pick<SceneService, 'byIds' | 'list'>,
    private readonly http: GuardedHttp,
  ) {}

  /** Scenes and images in their order, some hundreds at a time. @throws {InvalidJobError}; errors of the catalogue */
  chunks({ filter, ids, stac, urls = [] }: JobScenes): AsyncGenerator<Candidate[]> {
    if (filter) return this.matching(filter);
    if (ids) return this.named(ids);
    return chunksOf(stac ? this.referencesIn(stac) : urls.map((url) => ({ url })));
  }

  private async *named(ids: readonly string[]): AsyncGenerator<Candidate[]> {
    if (ids.length > MAX_IDS)
      throw new InvalidJobError(`ids has ${ids.length} scenes; the limit is ${MAX_IDS}.`, {
        details: { argument: 'ids', value: ids.length, limit: MAX_IDS },
      });
    const chosen = [...new Set(ids)];
    await this.requireScenes(chosen);
    for (let from = 0; from < chosen.length; from += CHUNK) {
      const scenes = await this.scenes.byIds(chosen.slice(from, from + CHUNK));
      yield scenes.map((scene) => ({ scene, reference: null }));
    }
  }

  /** Before anything is begun: half a job would look like a whole one. @throws {InvalidJobError} */
  private async requireScenes(ids: readonly string[]): Promise<void> {
    const missing = new Set(ids);
    for (let from = 0; from < ids.length; from += CHUNK) {
      for (const { id } of await this.scenes.byIds(ids.slice(from, from + CHUNK))) missing.delete(id);
    }
    if (missing.size === 0) return;
    throw new InvalidJobError(`${missing.size} of ${ids.length} ids are not scenes, such as ${[...missing][0]}.`);
  }

  private async *matching(filter: SceneFilter): AsyncGenerator<Candidate[]> {
    let after: string | null = null;
    for (;;) {
      const { edges, hasNextPage }: Page<Scene> = await this.scenes.list(filter, { first: CHUNK, after });
      if (edges.length > 0) yield edges.map(({ node }) => ({ scene: node, reference: null }));
      if (!hasNextPage) return;
      after = edges.at(-1)!.cursor;
    }
  }

  private async *referencesIn(stac: StacQuery): AsyncGenerator<JobReference> {
    for await (const image of stacImages(this.http, stac)) {
      yield {
        url: image.href,
        item: { url: image.itemUrl, asset: image.asset },
        name: image.itemId,
        ...(image.acquiredAt ? { acquiredAt: image.acquiredAt.toISOString() } : {}),
        ...(image.bands ? { bands: image.bands } : {}),
      };
    }
  }
}

async function* chunksOf(
  references: AsyncIterable<JobReference> | Iterable<JobReference>,
): AsyncGenerator<Candidate[]> {
  let chunk: Candidate[] = [];
  for await (const reference of references) {
    chunk.push({ scene: null, reference });
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** @throws {InvalidJobError} */
export function checkOne(which: JobScenes): void {
  const given = Object.entries(which).flatMap(([name, value]) => (value == null ? [] : [name]));
  if (given.length !== 1) {
    throw new InvalidJobError(`Give exactly one of filter, ids, stac, urls; given: ${given.join(', ') || 'none'}.`);
  }
  const { stac } = which;
  if (stac && !(Number.isInteger(stac.limit) && stac.limit >= 1 && stac.limit <= MAX_IDS)) {
    throw new InvalidJobError(`limit ${stac.limit} is not a whole number from 1 to ${MAX_IDS}.`);
  }
}
