import { setTimeout } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { EndpointFailure, EndpointPool, NoEndpointError } from './endpoint-pool.ts';
import { modelInfo, type VerifiedModel, verifyQuestions } from './manifest.ts';
import { windowKey } from './model-graphs.ts';
import type { ModelLoader } from './model-registry.ts';
import { type EncodedMessage, HEADER_LENGTH, readResponse, writeRequest } from './open-inference/message.ts';
import { contractDifference, metadataSchema, modelContract } from './model-contract.ts';
import { readPhase, tellsPhases, WANTS_PHASES } from './phase-notice.ts';
import { InferenceMessageError, type WireTensor } from './open-inference/tensor.ts';
import { currentTraceparent } from '../telemetry/tracing.ts';
import { plainText } from '../plain-text.ts';
import { promptRows, type TokenizedQuestion } from './prompt-rows.ts';
import { QuestionTokenizer } from './question-tokenizer.ts';
import { type Answer, errorText, failureOf, jsonOf, refusalOf } from './remote-answer.ts';
import {
  ModelCrashedError,
  type ModelInfo,
  ModelLateError,
  type ModelPhase,
  ModelRejectedError,
  ModelUnavailableError,
  type Question,
  type SegmentationModel,
} from './segmentation-model.ts';

/** Servers of the models, and their timeout. */
export interface RemoteSettings {
  /** Base URLs of Open Inference Protocol servers, without a trailing slash. */
  readonly urls: readonly string[];
  /** Deadline of a request, including retries on other servers. */
  readonly timeoutMs: number;
  /** Key of the servers; undefined: they ask for none. */
  readonly key?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5000;
const PROBE_TIMEOUT_MS = 10_000;
/** Longest wait for servers at the start; they are probed later as well. */
const FIRST_WAIT_MS = 2000;
/** Most concurrent requests to one server; more are refused as an outage, so that waiting windows cannot fill memory. */
const MOST_OUTSTANDING = 64;
/** Longest texts that are taken from a server, characters. */
const MAX_REASON = 300;
const MAX_PROVIDER = 100;
const MOST_ANSWER_BYTES = 512 * 1024 ** 2;

/** An inference request in progress. */
interface Asking {
  readonly message: EncodedMessage;
  /** Number of questions. */
  readonly questions: number;
  /** Aborted when the caller gives up or the deadline passes. */
  readonly stop: AbortSignal;
  readonly deadline: AbortSignal;
  readonly onPhase: (phase: ModelPhase) => void;
}

type RequestOptions = Pick<Dispatcher.RequestOptions, 'method'> & {
  headers?: Record<string, string>;
  body?: Buffer;
  onInfo?: NonNullable<Dispatcher.RequestOptions['onInfo']>;
};

/** A model on Open Inference Protocol servers. Manifest and tokenizer are local, the graphs remote. */
export class RemoteModel implements SegmentationModel {
  readonly info: ModelInfo;
  private readonly pool: EndpointPool;
  private readonly path: string;
  private provider: string | null = null;
  /** Servers that report phases. */
  private readonly phaseReporters = new Set<string>();
  private inFlight = 0;
  private closed = false;

  /** Opens no connection: servers are probed before their first request. */
  constructor(
    private readonly verified: VerifiedModel,
    private readonly tokenizer: QuestionTokenizer,
    private readonly agent: Agent,
    private readonly settings: RemoteSettings,
  ) {
    this.info = modelInfo(verified);
    this.path = `/v2/models/${this.info.name}/versions/${this.info.version}`;
    this.pool = new EndpointPool(settings.urls, (url) => this.probeServer(url));
  }

  get executionProvider(): string | null {
    return this.provider;
  }

  ready(): boolean {
    return !this.closed && this.pool.isReady();
  }

  /** Probes every server once; returns when all have answered or the first wait is over, whatever the result. */
  async probe(): Promise<void> {
    await Promise.race([this.pool.probeAll(), setTimeout(FIRST_WAIT_MS, undefined, { ref: false })]);
  }

  check({ text }: Question): void {
    this.tokenizer.encode(text);
  }

  async infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
    onPhase: (phase: ModelPhase) => void = () => undefined,
  ): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const bytes = this.info.windowPx ** 2 * 3;
    if (image.length !== bytes) throw new RangeError(`The image has ${image.length} bytes; the window takes ${bytes}.`);
    const tokenized = questions.map(({ task, text }) => ({ task, ids: this.tokenizer.encode(text) }));
    const most = MOST_OUTSTANDING * this.settings.urls.length;
    if (this.closed) throw new ModelUnavailableError(this.info.id, 'it was closed');
    if (this.inFlight >= most)
      throw new ModelUnavailableError(this.info.id, `${most} requests are already in progress`, 1);
    const deadline = AbortSignal.timeout(this.settings.timeoutMs);
    const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
    let isBegun = false;
    const began = (phase: ModelPhase): void => {
      isBegun = true;
      onPhase(phase);
    };
    const message = this.message(image, tokenized);
    const asking = { message, questions: questions.length, stop, deadline, onPhase: began };
    this.inFlight += 1;
    const asked = this.pool.use(windowKey(image), (url) => this.ask(url, asking)).finally(() => (this.inFlight -= 1));
    try {
      return await Promise.race([asked, rejectionOf(stop)]);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.translate(error, deadline, isBegun);
    }
  }

  /** The loader owns the connections; requests in progress end when it closes them. */
  async close(): Promise<void> {
    this.closed = true;
  }

  /** @param isBegun whether a server started on the window; assumed at once for servers that do not report phases */
  private translate(error: unknown, deadline: AbortSignal, isBegun: boolean): unknown {
    const Late = isBegun ? ModelLateError : ModelUnavailableError;
    if (deadline.aborted && error === deadline.reason)
      return new Late(this.info.id, `no answer in ${this.settings.timeoutMs / 1000} s`);
    if (!(error instanceof NoEndpointError)) return error;
    if (error.broken) return new ModelCrashedError(this.info.id, error.message);
    if (error.failed) return new ModelRejectedError(this.info.id, error.message);
    return new (error.late ? Late : ModelUnavailableError)(this.info.id, error.message, error.retryAfterS);
  }

  private message(image: Uint8Array, questions: readonly TokenizedQuestion[]): EncodedMessage {
    const side = this.info.windowPx;
    const { inputIds, attentionMask, dims } = promptRows(this.verified.manifest, questions);
    const inputs: WireTensor[] = [
      { name: 'image', datatype: 'UINT8', shape: [1, side, side, 3], data: image },
      { name: 'input_ids', datatype: 'INT64', shape: dims, data: inputIds },
      { name: 'attention_mask', datatype: 'INT64', shape: dims, data: attentionMask },
    ];
    return writeRequest(inputs, ['logits']);
  }

  private async ask(url: string, { message, questions, stop, deadline, onPhase }: Asking): Promise<Float32Array[]> {
    stop.throwIfAborted();
    if (!this.phaseReporters.has(url)) onPhase('reasoning');
    const answer = await this.request(`${url}${this.path}/infer`, stop, deadline, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        [HEADER_LENGTH]: String(message.headerLength),
        ...traceHeader(),
        ...(this.phaseReporters.has(url) ? { [WANTS_PHASES]: 'yes' } : {}),
      },
      body: Buffer.concat(message.parts),
      onInfo({ headers }) {
        const phase = readPhase(headers);
        if (phase !== null) onPhase(phase);
      },
    });
    if (answer.status !== 200) throw refusalOf(this.info.id, answer);
    return this.readAnswer(answer, questions);
  }

  private readAnswer(answer: Answer, questions: number): Float32Array[] {
    try {
      const length = answer.headers[HEADER_LENGTH.toLowerCase()];
      const outputs = modelContract(this.verified.manifest).outputs;
      const logits = readResponse(answer.body, typeof length === 'string' ? length : undefined, outputs).get('logits')!;
      if (logits.shape[0] !== questions)
        throw new InferenceMessageError(
          `It has logits for ${logits.shape[0]} questions; the request has ${questions}.`,
        );
      const size = this.info.logitsPx ** 2;
      const values = logits.data as Float32Array;
      return Array.from({ length: questions }, (_, row) => values.slice(row * size, (row + 1) * size));
    } catch (error) {
      if (!(error instanceof InferenceMessageError)) throw error;
      throw new EndpointFailure(plainText(`the answer cannot be read: ${error.message}`, MAX_REASON), 'dead');
    }
  }

  /** Checks that the server has this model and is ready. */
  private async probeServer(url: string): Promise<void> {
    const deadline = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const ready = await this.request(`${url}${this.path}/ready`, deadline, deadline, { method: 'GET' });
    if (ready.status !== 200) throw new EndpointFailure(`not ready: ${errorText(ready.body)}`, 'dead');
    const answer = await this.request(`${url}${this.path}`, deadline, deadline, { method: 'GET' });
    if (answer.status !== 200) throw new EndpointFailure(`status ${answer.status}: ${errorText(answer.body)}`, 'dead');
    const metadata = metadataSchema.safeParse(jsonOf(answer.body));
    if (!metadata.success) throw new EndpointFailure('it does not implement the Open Inference Protocol', 'dead');
    const difference = contractDifference(this.verified, metadata.data);
    if (difference !== null) throw new EndpointFailure(plainText(difference, MAX_REASON), 'dead');
    const provider = metadata.data.parameters?.['execution_provider'];
    this.provider = typeof provider === 'string' ? plainText(provider, MAX_PROVIDER) : null;
    if (tellsPhases(metadata.data.parameters, answer.headers)) this.phaseReporters.add(url);
    else this.phaseReporters.delete(url);
  }

  /** @throws {EndpointFailure} when the server cannot be reached or the deadline passes; the reason of `stop` */
  private async request(
    url: string,
    stop: AbortSignal,
    deadline: AbortSignal,
    options: RequestOptions,
  ): Promise<Answer> {
    try {
      const { key } = this.settings;
      const sent = { ...options.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
      const asked = { ...options, headers: sent, signal: stop, dispatcher: this.agent };
      const { statusCode, headers, body } = await request(url, asked);
      return { status: statusCode, headers, body: new Uint8Array(await body.arrayBuffer()) };
    } catch (cause) {
      const late = deadline.aborted && stop.reason === deadline.reason;
      if (stop.aborted && !late) throw stop.reason;
      throw late ? new EndpointFailure('no answer in time', 'dead') : failureOf(cause);
    }
  }
}

/** Runs the models of a folder on servers; the folder needs only manifest and tokenizer. */
export function remoteModels(settings: RemoteSettings): ModelLoader<RemoteModel> {
  const agent = new Agent({
    connections: MOST_OUTSTANDING,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Signals carry the deadlines of requests.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MOST_ANSWER_BYTES,
  });
  return {
    verify: verifyQuestions,
    async load(verified) {
      const model = new RemoteModel(verified, await QuestionTokenizer.load(verified), agent, settings);
      await model.probe();
      return model;
    },
    mayAnswer: () => true,
    close: () => agent.destroy(),
  };
}

/** Rejects with the reason of the signal; never resolves. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Lets the server continue the trace of the window. */
function traceHeader(): { traceparent?: string } {
  const traceparent = currentTraceparent();
  return traceparent === null ? {} : { traceparent };
}
