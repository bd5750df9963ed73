import { randomUUID } from 'node:crypto';
import type { RepairedGeometry } from '../../src/database/sql/valid-geometry.ts';
import type { CountedPage } from '../../src/page.ts';
import type { NewScene, Scene } from '../../src/scene/scene.ts';
import type { SceneStore } from '../../src/scene/scene.service.ts';

/** Scenes in memory, in the order that they came. */
export class MemorySceneStore implements SceneStore {
  storedBlobs = async (keys: readonly string[]): Promise<Set<string>> =>
    new Set(keys.filter((key) => [...this.scenes.values()].some(({ blobKey }) => blobKey === key)));
  extent = async () => ({ box: null, from: null, to: null });
  repair = async (): Promise<RepairedGeometry[]> => [];
  readonly scenes = new Map<string, Scene>();
  refuses = false;

  async insert(scene: NewScene): Promise<Scene> {
    if (this.refuses) throw new Error('the database is away');
    const stored = {
      keepUntil: null,
      ...scene,
      id: randomUUID(),
      createdAt: new Date(),
      areaM2: null,
      imageDeletedAt: null,
    };
    this.scenes.set(stored.id, stored);
    return stored;
  }

  async byId(id: string): Promise<Scene | null> {
    return this.scenes.get(id) ?? null;
  }

  async byIds(ids: readonly string[]): Promise<Scene[]> {
    return ids.flatMap((id) => this.scenes.get(id) ?? []);
  }

  async list(): Promise<CountedPage<Scene>> {
    const edges = [...this.scenes.values()].map((node) => ({ node, cursor: node.id }));
    return { edges, hasNextPage: false, hasPreviousPage: false, totalCount: async () => edges.length };
  }

  async keep(id: string, keepUntil: Date | null): Promise<Scene | null> {
    const scene = this.scenes.get(id);
    if (scene) this.scenes.set(id, { ...scene, keepUntil });
    return this.byId(id);
  }

  async remove(id: string): Promise<Scene | null> {
    const scene = this.scenes.get(id) ?? null;
    this.scenes.delete(id);
    return scene;
  }
}
