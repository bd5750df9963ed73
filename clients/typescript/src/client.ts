import { createClient } from 'graphql-ws';
import {
  CreateUploadDocument,
  FeaturesDocument,
  FeaturesAddedDocument,
  RegisterSceneDocument,
  SegmentDocument,
  WatchSegmentationDocument,
  type FeatureFilter,
  type FeatureOrder,
  type FeaturesAddedSubscription,
  type FeaturesQuery,
  type RegisterSceneMutation,
  type SegmentInput,
  type SegmentMutation,
  type TypedDocumentString,
  type WatchSegmentationSubscription,
} from './generated/graphql.ts';
import { errorOf, TerraqlError } from './terraql-error.ts';

export interface TerraqlOptions {
  /** Of the service, such as `https://terraql.example.org`. */
  readonly url: string;
  /** An API key or a token; undefined where no login is required. */
  readonly apiKey?: string;
  /** WebSocket of `ws`, for Node.js before 22. */
  readonly webSocket?: unknown;
}

export type Scene = RegisterSceneMutation['registerScene'];
export type Segmentation = SegmentMutation['segment'][number];
export type Progress = WatchSegmentationSubscription['segmentationProgress'];
export type Feature = FeaturesQuery['features']['nodes'][number];
export type AddedFeatures = FeaturesAddedSubscription['featuresAdded'];

/** Which features, in which order, and how many of them at once. */
export interface FeatureRequest {
  readonly filter?: FeatureFilter;
  readonly orderBy?: FeatureOrder;
  /** Features of a page; 200 unless given. */
  readonly pageSize?: number;
}

/** Waits after a lost connection, milliseconds; the last one again and again. */
const RECONNECT_MS = [250, 1000, 5000, 15_000] as const;
/** Closing codes by which the service refuses a socket for good. */
const REFUSED: ReadonlySet<number> = new Set([4400, 4401, 4403, 4406, 4409, 4429]);

/** A client of one workspace of a TerraQL service. */
export class TerraqlClient {
  private readonly url: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(private readonly options: TerraqlOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.headers = options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` };
  }

  /**
   * Runs a query or a mutation.
   * @returns the data, which is complete
   * @throws {TerraqlError} when any part of it failed
   */
  async request<Result, Variables extends object>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    const body = (await response.json().catch(() => ({}))) as { data?: Result; errors?: [] };
    if (!response.ok || body.errors || body.data === undefined) throw await errorOf(response, body);
    return body.data;
  }

  /**
   * Uploads an image and registers it.
   * @param image its bytes, GeoTIFF, PNG, JPEG or another format that the service reads
   * @throws {TerraqlError}
   */
  async upload(filename: string, image: Blob): Promise<Scene> {
    const { createUpload } = await this.request(CreateUploadDocument, { filename, sizeBytes: image.size });
    const sent = await fetch(createUpload.url, { method: 'PUT', headers: this.headers, body: image });
    if (!sent.ok) throw await errorOf(sent);
    const { registerScene } = await this.request(RegisterSceneDocument, { input: { uploadId: createUpload.id } });
    return registerScene;
  }

  /** Asks about a scene; the answers may still be QUEUED, see {@link watch}. @throws {TerraqlError} */
  async segment(input: SegmentInput): Promise<Segmentation[]> {
    const { segment } = await this.request(SegmentDocument, { input });
    return segment;
  }

  /** A segmentation now and after each step, until it is final. @throws {TerraqlError} */
  async *watch(id: string): AsyncGenerator<Progress, void, void> {
    for await (const data of this.subscribe(WatchSegmentationDocument, () => ({ id }))) {
      yield data.segmentationProgress;
      if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(data.segmentationProgress.state)) return;
    }
  }

  /** Every feature that matches, page after page as it is read. @throws {TerraqlError} */
  async *features({ filter = {}, orderBy, pageSize = 200 }: FeatureRequest = {}): AsyncGenerator<Feature, void, void> {
    let after: string | null = null;
    do {
      const asked: Readonly<Record<string, unknown>> = {
        filter,
        first: pageSize,
        after,
        ...(orderBy ? { orderBy } : {}),
      };
      const { features }: FeaturesQuery = await this.request(FeaturesDocument, asked);
      yield* features.nodes;
      after = features.pageInfo.hasNextPage ? (features.pageInfo.endCursor ?? null) : null;
    } while (after !== null);
  }

  /**
   * Features as runs store them, without an end; after a lost connection from the last event on, none left out.
   * @param after cursor of the last event that was received, perhaps by another process
   * @throws {TerraqlError}
   */
  async *featuresAdded(
    filter: FeatureFilter = {},
    after: string | null = null,
  ): AsyncGenerator<AddedFeatures, void, void> {
    let cursor = after;
    for await (const { featuresAdded } of this.subscribe(FeaturesAddedDocument, () => ({ filter, after: cursor }))) {
      cursor = featuresAdded.cursor;
      yield featuresAdded;
    }
  }

  /**
   * Runs a subscription, again after a lost connection; ends when the service ends it.
   * @param variables made for each connection, so that a cursor can be among them
   * @throws {TerraqlError}
   */
  async *subscribe<Result, Variables extends object>(
    document: TypedDocumentString<Result, Variables>,
    variables: () => Variables,
  ): AsyncGenerator<Result, void, void> {
    const socket = createClient({
      url: `${this.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: this.options.webSocket,
      connectionParams: this.headers,
      retryAttempts: 0,
    });
    try {
      for (let lost = 0; ;) {
        try {
          const made = variables() as Record<string, unknown>;
          for await (const { data, errors } of socket.iterate({ query: document.toString(), variables: made })) {
            if (errors?.[0]) throw new TerraqlError(errors[0].message, errors[0].extensions);
            lost = 0;
            yield data as Result;
          }
          return;
        } catch (error) {
          throwUnlessLost(error);
          const waitMs = RECONNECT_MS[Math.min(lost++, RECONNECT_MS.length - 1)];
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        }
      }
    } finally {
      await socket.dispose();
    }
  }
}

/** What a subscription failed with, unless connecting again may help. */
function throwUnlessLost(error: unknown): void {
  if (error instanceof TerraqlError) throw error;
  if (Array.isArray(error)) {
    const [first] = error as { message: string; extensions?: Readonly<Record<string, unknown>> }[];
    throw new TerraqlError(first?.message ?? 'the subscription failed', first?.extensions);
  }
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (typeof code === 'number' && REFUSED.has(code)) {
    throw new TerraqlError(typeof reason === 'string' ? reason : 'refused', {
      code: code === 4401 || code === 4403 ? 'UNAUTHENTICATED' : 'BAD_REQUEST',
    });
  }
  if (error instanceof Error && !('code' in error)) throw error;
}
