import type { Services } from '../services.ts';
import type { AskedPrompt } from '../segmentation/prompts.ts';
import type { View } from '../view/view.ts';
import { CollectionNotFoundError, InvalidOgcParameterError } from './errors.ts';
import { featureCollection } from './feature-collection.ts';
import type { ItemCollection } from './item-collection.ts';
import { sceneCollection } from './scene-collection.ts';

type CollectionServices = Pick<Services, 'features' | 'scenes' | 'views' | 'prompts'>;

const VIEW = 'view-';
const PROMPT = 'prompt-';
const KEY = /^[0-9a-f]{32}$/;

/** A page of all collections. */
export interface CollectionPage {
  readonly collections: readonly ItemCollection[];
  /** Of the next page; null on the last. */
  readonly next: string | null;
}

/** The collections of a viewer: all features, all scenes, every saved view, every prompt. */
export class Collections {
  constructor(
    private readonly services: CollectionServices,
    private readonly limits: { readonly maxVertices: number },
  ) {}

  /**
   * Features, scenes, views by name, then prompts by key.
   * @param after the `next` of the page before; null for the first, which has the views beside `limit` prompts
   * @throws {InvalidOgcParameterError}
   */
  async page(after: string | null, limit: number): Promise<CollectionPage> {
    if (after !== null && !KEY.test(after)) {
      throw new InvalidOgcParameterError(`after is ${JSON.stringify(after)}; use the address of the link "next".`);
    }
    const views = after === null ? await this.services.views.list() : [];
    const prompts = await this.services.prompts.list(after, limit + 1);
    const shown = prompts.slice(0, limit);
    return {
      collections: [
        ...(after === null ? [this.all(), this.scenes()] : []),
        ...views.map((view) => this.ofView(view)),
        ...shown.map((prompt) => this.ofPrompt(prompt)),
      ],
      next: prompts.length > limit ? shown.at(-1)!.key : null,
    };
  }

  /** @throws {CollectionNotFoundError} */
  async require(id: string): Promise<ItemCollection> {
    const found = await this.byId(id);
    if (!found) throw new CollectionNotFoundError(id);
    return found;
  }

  private async byId(id: string): Promise<ItemCollection | null> {
    if (id === 'features') return this.all();
    if (id === 'scenes') return this.scenes();
    if (id.startsWith(VIEW)) {
      const view = await this.services.views.bySlug(id.slice(VIEW.length));
      return view && this.ofView(view);
    }
    const key = id.slice(PROMPT.length);
    if (!id.startsWith(PROMPT) || !KEY.test(key)) return null;
    const prompt = await this.services.prompts.byKey(key);
    return prompt && this.ofPrompt(prompt);
  }

  private all(): ItemCollection {
    return featureCollection(this.services, {
      id: 'features',
      title: 'Features',
      description: 'All polygons found, for any prompt and scene.',
      filter: {},
      tilesQuery: '',
    });
  }

  private scenes(): ItemCollection {
    return sceneCollection(this.services, this.limits.maxVertices);
  }

  private ofView({ slug, name, filter, order }: View): ItemCollection {
    return featureCollection(this.services, {
      id: `${VIEW}${slug}`,
      title: name,
      description: `Features of the saved view ${name}.`,
      filter,
      order,
      tilesQuery: `?view=${slug}`,
    });
  }

  private ofPrompt({ key, text }: AskedPrompt): ItemCollection {
    return featureCollection(this.services, {
      id: `${PROMPT}${key}`,
      title: text,
      description: `Features found for the prompt: ${text}`,
      filter: { prompt: text },
      tilesQuery: `?filter=${encodeURIComponent(JSON.stringify({ prompt: text }))}`,
    });
  }
}
