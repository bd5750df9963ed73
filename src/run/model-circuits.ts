import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';
import { AppError } from '../errors.ts';
import { ModelLateError, ModelUnavailableError, type SegmentationModel } from '../inference/segmentation-model.ts';

/**
 * First and longest pause after an outage, milliseconds. It doubles in between, with jitter, unless the service names a
 * time itself.
 */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

interface Circuit {
  readonly policy: CircuitBreakerPolicy;
  readonly outage: AppError | null;
  readonly retryAtMs: number;
  /** Number of requests that the model has answered. */
  readonly answers: number;
}

/** Whether the model service is unavailable, so that the same request may succeed later. */
export function isOutage(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'MODEL_UNAVAILABLE';
}

/** The outage as reported to callers whose request was not sent. */
function outageForOthers(modelId: string, outage: AppError): AppError {
  return outage instanceof ModelLateError ? new ModelUnavailableError(modelId, outage.reason) : outage;
}

/** The pause that an outage requests, within bounds; null without a request. */
function requestedPauseMs(error: Error): number | null {
  if (!(error instanceof ModelUnavailableError) || error.retryAfterS === null) return null;
  return Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, error.retryAfterS * 1000));
}

/** One circuit breaker per model: after an outage nothing is sent during a pause, then one request probes the model. */
export class ModelCircuits {
  private readonly circuits = new Map<string, { -readonly [Key in keyof Circuit]: Circuit[Key] }>();

  /**
   * Sends a request to a model.
   * @throws errors of the request; during a pause the last outage, without sending anything
   */
  async send<T>(modelId: string, request: () => Promise<T>): Promise<T> {
    const circuit = this.of(modelId);
    try {
      return await circuit.policy.execute(request);
    } catch (error) {
      if (isOutage(error)) circuit.outage = outageForOthers(modelId, error);
      throw error instanceof BrokenCircuitError && circuit.outage ? circuit.outage : error;
    }
  }

  /** The model behind its circuit breaker, with its answers counted. */
  counted(model: Pick<SegmentationModel, 'info' | 'infer'>): SegmentationModel['infer'] {
    return async (...request) => {
      const logits = await this.send(model.info.id, () => model.infer(...request));
      this.of(model.info.id).answers += 1;
      return logits;
    };
  }

  /** Number of requests of this process that a model has answered. */
  answers(modelId: string): number {
    return this.circuits.get(modelId)?.answers ?? 0;
  }

  /** Seconds until a request may be sent to the model; 0 for now. */
  delayS(modelId: string): number {
    return Math.max(0, ((this.circuits.get(modelId)?.retryAtMs ?? 0) - Date.now()) / 1000);
  }

  private of(modelId: string) {
    const known = this.circuits.get(modelId);
    if (known) return known;
    const backoff = new ExponentialBackoff({ initialDelay: FIRST_PAUSE_MS, maxDelay: LONGEST_PAUSE_MS });
    const timed = (
      pause: IBackoff<unknown>,
      { result }: IHalfOpenAfterBackoffContext,
    ): IBackoff<IHalfOpenAfterBackoffContext> => {
      const duration = ('error' in result ? requestedPauseMs(result.error) : null) ?? pause.duration;
      made.retryAtMs = Date.now() + duration;
      return { duration, next: (context) => timed(pause.next(context), context) };
    };
    const policy = circuitBreaker(handleWhen(isOutage), {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: { next: (context) => timed(backoff.next(), context) },
    });
    const made = { policy, outage: null, retryAtMs: 0, answers: 0 } as {
      -readonly [Key in keyof Circuit]: Circuit[Key];
    };
    this.circuits.set(modelId, made);
    return made;
  }
}
