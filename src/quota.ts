import { AppError } from './errors.ts';

/** What a workspace may have at a time. */
export type Stock = 'WAITING_WINDOWS' | 'BYTES_STORED' | 'FEATURES';

/** Lets a workspace have more of something, or not. */
export interface Room {
  /**
   * @param added how much more it would have
   * @param argument of the request that asks for it
   * @throws {QuotaExceededError} where the workspace would have more than it may
   */
  admit(stock: Stock, added: number, argument: string): Promise<void>;
}

/** Room without end. */
export const UNLIMITED: Room = { admit: () => Promise.resolve() };

const WORDS: Readonly<Record<Stock, string>> = {
  WAITING_WINDOWS: 'waiting windows',
  BYTES_STORED: 'stored bytes',
  FEATURES: 'features',
};
const RETRY_AFTER_S = 60;

/** A workspace would have more of something than its quota. */
export class QuotaExceededError extends AppError {
  readonly code = 'QUOTA_EXCEEDED';
  /** Seconds after which there may be room; null: somebody has to make room. */
  readonly retryAfterS: number | null;
  override readonly details: Readonly<Record<string, string | number>>;

  /** @param value what it would have @param added what was asked for */
  constructor(
    stock: Stock,
    argument: string,
    { value, added, limit }: Readonly<Record<'value' | 'added' | 'limit', number>>,
  ) {
    super(`Argument ${argument}: the workspace would have ${value} ${WORDS[stock]}; its quota is ${limit}.`);
    this.details = { quota: stock, argument, value, limit };
    this.retryAfterS = stock === 'WAITING_WINDOWS' && added <= limit ? RETRY_AFTER_S : null;
  }
}
