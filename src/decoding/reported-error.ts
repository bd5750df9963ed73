import { AppError } from '../errors.ts';
import type { ReportedError } from './decoder-protocol.ts';

/** An error that another process reported. */
export class ReportedImageError extends AppError {
  readonly code: string;
  constructor({ code, name, message }: ReportedError) {
    super(message);
    this.code = code;
    this.name = name;
  }
}

/** An error as it passes between processes. */
export function reportedError({ code, name, message }: AppError): ReportedError {
  return { code, name, message };
}
