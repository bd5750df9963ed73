import { LRUCache } from 'lru-cache';
import type { ImageSource } from '../imagery/image-source.ts';
import type { Scene } from '../scene/scene.ts';

/** Files that stay open between tiles. */
const MAX_OPEN = 16;
/** A replaced file is reopened after this time at the latest, and then refused. */
const TTL_MS = 30_000;

interface Opener {
  open(scene: Scene): Promise<ImageSource>;
}

interface Opened {
  readonly source: Promise<ImageSource>;
  users: number;
  /** Out of the cache: the last user closes it. */
  dropped: boolean;
}

/** Keeps the images of scenes open while tile after tile is read of them; opening one reads its whole header. */
export class OpenScenes {
  private readonly opened = new LRUCache<string, Opened>({
    max: MAX_OPEN,
    ttl: TTL_MS,
    ttlAutopurge: true,
    dispose: (one) => {
      one.dropped = true;
      void closeUnused(one);
    },
  });

  /**
   * @param scenes opens the scene where it is not open
   * @throws errors of opening the scene, and what `work` throws
   */
  async use<Result>(scenes: Opener, scene: Scene, work: (source: ImageSource) => Promise<Result>): Promise<Result> {
    const one = this.opened.get(scene.id) ?? this.add(scenes, scene);
    one.users++;
    try {
      return await work(await one.source);
    } catch (error) {
      // A file that failed once may have been replaced: it is reopened.
      if (this.opened.peek(scene.id) === one) this.opened.delete(scene.id);
      throw error;
    } finally {
      one.users--;
      await closeUnused(one);
    }
  }

  close(): void {
    this.opened.clear();
  }

  private add(scenes: Opener, scene: Scene): Opened {
    const one: Opened = { source: scenes.open(scene), users: 0, dropped: false };
    // Whoever uses it hears of the error.
    one.source.catch(() => undefined);
    this.opened.set(scene.id, one);
    return one;
  }
}

async function closeUnused(one: Opened): Promise<void> {
  if (!one.dropped || one.users > 0) return;
  await one.source.then((source) => source.close()).catch(() => undefined);
}
