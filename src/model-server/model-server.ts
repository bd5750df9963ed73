import type { Server } from 'node:http';
import compression from 'compression';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import type { LocalModel } from '../inference/local-model.ts';
import { type ModelRegistry, UnknownModelError } from '../inference/model-registry.ts';
import { createListener } from '../http-listener.ts';
import { HEADER_LENGTH } from '../inference/open-inference/message.ts';
import { modelContract } from '../inference/model-contract.ts';
import { phaseNotice, TELLS_PHASES, WANTS_PHASES } from '../inference/phase-notice.ts';
import { type ModelPhase, ModelUnavailableError } from '../inference/segmentation-model.ts';
import type { Logger } from '../logging.ts';
import { access, type AccessSettings } from './access.ts';
import { Admission } from './admission.ts';
import { errorResponse, TooManyRequestsError } from './error-response.ts';
import { infer } from './infer.ts';
import type { ModelMetrics } from './metrics.ts';

export interface ModelServerSettings extends AccessSettings {
  /** Version of TerraQL, reported to clients. */
  readonly version: string;
  /** Most concurrent requests, from their first byte to the last of the response. */
  readonly maxRequests: number;
  /** Timeout of receiving a request, and of its response, milliseconds. */
  readonly timeoutMs: number;
}

/** Parts of the server. */
export interface ModelServerParts {
  readonly models: ModelRegistry<LocalModel>;
  readonly metrics: ModelMetrics;
  readonly logger: Logger;
  readonly settings: ModelServerSettings;
}

/** Most bytes of concurrent request bodies: 85 windows of 1024 x 1024 pixels. */
const MOST_BODY_BYTES = 256 * 1024 ** 2;
/** Allowance beside the window itself: token ids, masks and names. */
const BODY_BESIDE_IMAGE = 4 * 1024 ** 2;
/** Longest JSON text of a pixel value, with brackets and spaces. */
const JSON_BYTES = 8;
/** Clients keep one connection per window in progress. */
const MAX_CONNECTIONS = 1000;

const MODEL = '/v2/models/:name{/versions/:version}';
type ModelPath = { name: string; version?: string };

/**
 * Serves the models of a folder by the Open Inference Protocol v2 over HTTP, with the binary tensor extension, and
 * `/metrics`.
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function createModelServer(parts: ModelServerParts): Server {
  const router = express();
  router.disable('x-powered-by');
  router.disable('etag');
  // Tensors compress too; the default takes text only.
  router.use(compression({ filter: () => true }));
  router.use(access(parts.settings));
  addHealth(router, parts);
  addMetadata(router, parts);
  addInference(router, parts);
  router.get('/metrics', async (_request, response) => {
    const { registry } = parts.metrics;
    response.set('Content-Type', registry.contentType).send(await registry.metrics());
  });
  router.use(
    (request, response) =>
      void response.status(404).json({ error: `${request.method} ${request.path} does not exist.` }),
  );
  router.use(errorResponse(parts.logger));
  const { timeoutMs } = parts.settings;
  return createListener(router, parts.logger, { maxConnections: MAX_CONNECTIONS, requestTimeoutMs: timeoutMs });
}

/**
 * Loads every model, one after another; the server is ready once all are loaded.
 * @throws {UnknownModelError} when there is none; {@link ExecutionProviderError} {@link ModelFailureError}
 */
export async function loadModels({ models, logger }: Pick<ModelServerParts, 'models' | 'logger'>): Promise<void> {
  if (models.list().length === 0) throw new UnknownModelError(null, []);
  for (const { id } of models.list()) {
    const started = performance.now();
    const { executionProvider } = await models.get(id);
    logger.info({ model: id, executionProvider, durationMs: Math.round(performance.now() - started) }, 'Model:Loaded');
  }
}

function addHealth(router: Express, { models }: ModelServerParts): void {
  router.get('/v2/health/live', (_request, response) => void response.json({ live: true }));
  router.get('/v2/health/ready', (_request, response) => {
    const ready = models.list().every(({ id }) => models.isReady(id));
    response.status(ready ? 200 : 503).json({ live: true, ready });
  });
  router.get(`${MODEL}/ready`, (request: Request<ModelPath>, response) => {
    const id = modelOf(models, request);
    const ready = models.isReady(id);
    const told = ready ? {} : { error: `Model ${id} is not loaded yet.` };
    response.status(ready ? 200 : 503).json({ name: request.params.name, ready, ...told });
  });
}

function addMetadata(router: Express, { models, settings }: ModelServerParts): void {
  router.get('/v2', (_request, response) => {
    response.json({ name: 'terraql', version: settings.version, extensions: ['binary_tensor_data'] });
  });
  router.get(MODEL, (request: Request<ModelPath>, response) => describe(models, request, response));
}

async function describe(
  models: ModelRegistry<LocalModel>,
  request: Request<ModelPath>,
  response: Response,
): Promise<void> {
  const { info, manifest, executionProvider } = await loaded(models, request);
  const versions = models.list().flatMap(({ name, version }) => (name === info.name ? [version] : []));
  response.json({
    name: info.name,
    versions,
    platform: 'onnxruntime_onnx',
    ...modelContract(manifest),
    parameters: {
      manifest_sha256: info.sha256,
      execution_provider: executionProvider,
      licence: info.licence,
      [TELLS_PHASES]: true,
    },
  });
}

function addInference(router: Express, parts: ModelServerParts): void {
  const { models, settings } = parts;
  const admission = new Admission({ maxRequests: settings.maxRequests, maxBytes: MOST_BODY_BYTES });
  const widestPx = models.list().reduce((most, { windowPx }) => Math.max(most, windowPx), 0);
  const limit = widestPx ** 2 * 3 * JSON_BYTES + BODY_BESIDE_IMAGE;
  router.post(
    `${MODEL}/infer`,
    admit(parts, admission, limit),
    express.raw({ type: () => true, limit }),
    async (request: Request<ModelPath>, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const model = await loaded(models, request);
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const headerLength = request.get(HEADER_LENGTH);
      const onPhase = (phase: ModelPhase): void => sendPhase(request, response, phase);
      const call = { body, headerLength, timeoutMs: settings.timeoutMs, gone: gone.signal, onPhase };
      const answer = await infer(model, call).catch((error: unknown) => {
        if (gone.signal.aborted) return null;
        throw error;
      });
      if (answer === null) return;
      if (answer.headerLength !== null) response.set(HEADER_LENGTH, String(answer.headerLength));
      response.type(answer.headerLength === null ? 'application/json' : 'application/octet-stream');
      response.send(Buffer.concat(answer.parts));
    },
  );
}

/** Sends a phase to a client that asked for phases; HTTP/1.0 has no interim responses. */
function sendPhase(request: Request<ModelPath>, response: Response, phase: ModelPhase): void {
  if (request.get(WANTS_PHASES) === undefined || request.httpVersion === '1.0' || response.headersSent) return;
  if (response.socket?.writable) response.socket.write(phaseNotice(phase));
}

/** Counts a request and refuses it before its body is read when there is no room. */
function admit({ models, metrics }: ModelServerParts, admission: Admission, limit: number): RequestHandler<ModelPath> {
  return (request, response, next) => {
    const id = modelOf(models, request);
    const started = performance.now();
    const length = Number(request.get('content-length'));
    const plain = request.get('content-encoding') === undefined && Number.isSafeInteger(length) && length > 0;
    const leave = admission.enter(plain ? Math.min(length, limit) : limit);
    response.once('close', () => {
      leave?.();
      metrics.onRequest(id, response.writableFinished ? response.statusCode : 499, performance.now() - started);
    });
    if (leave === null) throw new TooManyRequestsError(admission.inside, waitS(models, id));
    next();
  };
}

/** Seconds after which a model's queue should be done. */
function waitS(models: ModelRegistry<LocalModel>, id: string): number {
  return models.active().find(({ info }) => info.id === id)?.retryAfterS ?? 1;
}

/** @throws {UnknownModelError} */
function modelOf(models: ModelRegistry<LocalModel>, { params }: Request<ModelPath>): string {
  return models.resolve(params.version === undefined ? params.name : `${params.name}/${params.version}`);
}

/** @throws {UnknownModelError} {@link ModelUnavailableError} while the model is being loaded */
async function loaded(models: ModelRegistry<LocalModel>, request: Request<ModelPath>): Promise<LocalModel> {
  const id = modelOf(models, request);
  const loading = models.get(id);
  if (models.isReady(id)) return loading;
  // Loading takes longer than a client should wait for.
  loading.catch(() => undefined);
  throw new ModelUnavailableError(id, 'it is being loaded', LOADING_S);
}

const LOADING_S = 5;
