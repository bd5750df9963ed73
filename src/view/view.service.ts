import { AppError } from '../errors.ts';
import { LARGEST_FIRST } from '../feature/feature.filter.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import type { NewView, View, ViewStore } from './view.ts';

/** There is no view of that name or identifier. */
export class ViewNotFoundError extends AppError {
  readonly code = 'VIEW_NOT_FOUND';
  constructor(view: string) {
    super(`View ${JSON.stringify(view)} does not exist.`);
  }
}

/** Another view has the slug. */
export class ViewSlugTakenError extends AppError {
  readonly code = 'VIEW_SLUG_TAKEN';
  constructor(slug: string) {
    super(`Another view has the slug ${JSON.stringify(slug)}; choose another.`);
  }
}

/** A view cannot be saved as asked. */
export class InvalidViewError extends AppError {
  readonly code = 'VIEW_INVALID';
}

const MAX_NAME = 200;
const MAX_SLUG = 100;
const MAX_STYLE_BYTES = 65_536;

/** What a person gives; the slug is made of the name when it is left out. */
export type RequestedView = Omit<NewView, 'slug'> & { readonly slug: string | null };

/** Saved views. */
export class ViewService {
  constructor(
    private readonly store: ViewStore,
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
  ) {}

  list(): Promise<View[]> {
    return this.store.list();
  }

  byId(id: string): Promise<View | null> {
    return this.store.byId(id);
  }

  bySlug(slug: string): Promise<View | null> {
    return this.store.bySlug(slug);
  }

  /** @throws {ViewNotFoundError} */
  async requireSlug(slug: string): Promise<View> {
    const view = await this.store.bySlug(slug);
    if (!view) throw new ViewNotFoundError(slug);
    return view;
  }

  /** @throws {InvalidViewError} {@link ViewSlugTakenError}, and what the check of the filter throws */
  async create(requested: RequestedView): Promise<View> {
    return this.store.create(await this.checked(requested));
  }

  /** @throws {ViewNotFoundError} {@link InvalidViewError} {@link ViewSlugTakenError}, and what the check of the filter throws */
  async update(id: string, requested: RequestedView): Promise<View> {
    const view = await this.store.update(id, await this.checked(requested));
    if (!view) throw new ViewNotFoundError(id);
    return view;
  }

  /** @throws {ViewNotFoundError} */
  async delete(id: string): Promise<string> {
    if (!(await this.store.delete(id))) throw new ViewNotFoundError(id);
    return id;
  }

  private async checked({ name: given, slug, filter, order, style }: RequestedView): Promise<NewView> {
    const name = given.trim();
    if (name === '' || name.length > MAX_NAME) {
      throw new InvalidViewError(`The name of a view must have 1 to ${MAX_NAME} characters; it has ${name.length}.`);
    }
    const styleBytes = style === null ? 0 : Buffer.byteLength(JSON.stringify(style));
    if (styleBytes > MAX_STYLE_BYTES) {
      throw new InvalidViewError(`The style takes ${styleBytes} bytes; the limit is ${MAX_STYLE_BYTES}.`, {
        details: { argument: 'input.style', value: styleBytes, limit: MAX_STYLE_BYTES },
      });
    }
    await this.features.checkedFilter(filter, order ?? LARGEST_FIRST);
    return { name, slug: slug === null ? slugOf(name) : checkedSlug(slug), filter, order, style };
  }
}

function checkedSlug(slug: string): string {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) && slug.length <= MAX_SLUG) return slug;
  throw new InvalidViewError(
    `Slug ${JSON.stringify(slug)} is not allowed; use at most ${MAX_SLUG} lower-case letters and digits, with single hyphens between them.`,
  );
}

/** @throws {InvalidViewError} for a name without a letter or digit that an address can have */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, '');
  if (slug !== '') return slug;
  throw new InvalidViewError(`No slug can be made from the name ${JSON.stringify(name)}; give one.`);
}
