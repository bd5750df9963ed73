import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../errors.ts';
import { ModelFolderError, modelInfo, type VerifiedModel } from './manifest.ts';
import type { ModelInfo, SegmentationModel } from './segmentation-model.ts';

/** The model folder has no model of that name. */
export class UnknownModelError extends AppError {
  readonly code = 'MODEL_NOT_FOUND';
  constructor(
    readonly wanted: string | null,
    known: readonly string[],
  ) {
    super(
      wanted === null
        ? 'The model folder (TERRAQL_MODELS_DIR) has no model.'
        : `Model ${wanted} does not exist; the model folder has ${known.join(', ') || 'no model'}.`,
    );
  }
}

/** The model folder has several models and no default. */
export class AmbiguousModelError extends AppError {
  readonly code = 'MODEL_AMBIGUOUS';
  constructor(known: readonly string[]) {
    super(`Several models are installed (${known.join(', ')}); name one in modelId or in TERRAQL_MODEL.`);
  }
}

/** Folders `<name>/<version>` with a manifest, as `name/version`, newest version of a name last. */
async function listModelFolders(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await folders(root)).toSorted()) {
    const versions = await folders(path.join(root, name));
    for (const version of versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
      const manifest = path.join(root, name, version, 'manifest.json');
      if (
        await stat(manifest).then(
          () => true,
          () => false,
        )
      )
        found.push(`${name}/${version}`);
    }
  }
  return found;
}

/** Names of the folders in a folder, through symbolic links too. */
async function folders(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new ModelFolderError(folder, `cannot be listed (${cause.code})`);
  });
  const isFolder = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        (s) => s.isDirectory(),
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => isFolder[index]);
}

/** Loads models, in this process or on servers. */
export interface ModelLoader<Model extends SegmentationModel> {
  /** Verifies the files that this loader needs. @throws {ModelFolderError} */
  verify(folder: string): Promise<VerifiedModel>;
  /** @param models number of models in the folder, all of which may be loaded */
  load(verified: VerifiedModel, models: number): Promise<Model>;
  /** Whether a loaded model may still answer; otherwise it is closed and reloaded. */
  mayAnswer(model: Model): boolean;
  /** Called once after all models are closed. */
  close?(): Promise<void>;
}

/** The models of a model folder, loaded on first use and reloaded after a crash. */
export class ModelRegistry<Model extends SegmentationModel = SegmentationModel> {
  private readonly loading = new Map<string, Promise<Model>>();
  private readonly loaded = new Map<string, Model>();

  private constructor(
    private readonly models: ReadonlyMap<string, VerifiedModel>,
    private readonly preferred: string | undefined,
    private readonly loader: ModelLoader<Model>,
  ) {}

  /**
   * Finds and verifies every model under `root`.
   * @param preferred default model, `name` or `name/version`
   * @throws {ModelFolderError} when a model's files do not match its manifest; {@link UnknownModelError} for `preferred`
   */
  static async open<Model extends SegmentationModel>(
    root: string,
    preferred: string | undefined,
    loader: ModelLoader<Model>,
  ): Promise<ModelRegistry<Model>> {
    const models = new Map<string, VerifiedModel>();
    for (const id of await listModelFolders(root)) {
      const model = await loader.verify(path.join(root, id));
      const claimed = modelInfo(model).id;
      if (claimed !== id) throw new ModelFolderError(model.folder, `manifest.json is that of ${claimed}`);
      models.set(id, model);
    }
    const registry = new ModelRegistry(models, preferred, loader);
    if (preferred !== undefined) registry.resolve(preferred);
    return registry;
  }

  list(): ModelInfo[] {
    return [...this.models].map(([id, model]) => ({
      ...modelInfo(model),
      executionProvider: this.loaded.get(id)?.executionProvider ?? null,
    }));
  }

  /** The models that are loaded. */
  active(): Model[] {
    return [...this.loaded.values()];
  }

  /** Whether the model is loaded and ready. */
  isReady(id: string): boolean {
    return this.loaded.get(id)?.ready() ?? false;
  }

  /**
   * Resolves the model of a request.
   * @param wanted `name/version`, `name` (its newest version), or undefined for the default: the preferred model, or the
   *   newest version of the only name
   * @returns its id
   * @throws {UnknownModelError} {@link AmbiguousModelError}
   */
  resolve(wanted: string | undefined = this.preferred): string {
    const ids = [...this.models.keys()];
    if (wanted !== undefined) {
      const id = ids.findLast((candidate) => candidate === wanted || candidate.startsWith(`${wanted}/`));
      if (id === undefined) throw new UnknownModelError(wanted, ids);
      return id;
    }
    const newest = ids.at(-1);
    if (newest === undefined) throw new UnknownModelError(null, ids);
    if (ids.some((id) => path.dirname(id) !== path.dirname(newest))) throw new AmbiguousModelError(ids);
    return newest;
  }

  /**
   * Returns the model of a request, loading it if necessary; see {@link resolve}.
   * @throws {ModelFailureError} {@link ExecutionProviderError}; {@link ModelFolderError} when the folder has changed since
   *   it was verified
   */
  async get(wanted?: string): Promise<Model> {
    const id = this.resolve(wanted);
    const model = this.loaded.get(id);
    if (model && this.loader.mayAnswer(model)) return model;
    const loading = this.loading.get(id) ?? this.load(id).finally(() => this.loading.delete(id));
    this.loading.set(id, loading);
    return loading;
  }

  private async load(id: string): Promise<Model> {
    const { folder, sha256 } = this.models.get(id)!;
    const verified = await this.loader.verify(folder);
    if (verified.sha256 !== sha256) throw new ModelFolderError(folder, 'was replaced since the start; start again');
    await this.loaded.get(id)?.close();
    const model = await this.loader.load(verified, this.models.size);
    this.loaded.set(id, model);
    return model;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.loading.values());
    for (const model of this.loaded.values()) await model.close();
    await this.loader.close?.();
  }
}
