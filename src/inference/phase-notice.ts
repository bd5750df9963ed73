import type { ModelPhase } from './segmentation-model.ts';

/**
 * Header of a request whose client wants to be told what is done with it. The server then sends an interim answer, status
 * 102, for each phase before the final one; the protocol itself has nothing for this.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */
export const WANTS_PHASES = 'Terraql-Phases';

/** Header of such an interim answer. */
const PHASE = 'Terraql-Phase';

/** Parameter of a model's metadata: the server tells phases to whom wants them. */
export const TELLS_PHASES = 'tells_phases';

/** An interim answer as it goes over the wire. */
export const phaseNotice = (phase: ModelPhase): string => `HTTP/1.1 102 Processing\r\n${PHASE}: ${phase}\r\n\r\n`;

/** @returns null for an interim answer about something else */
export function readPhase(headers: Readonly<Record<string, string | string[] | undefined>>): ModelPhase | null {
  const phase = headers[PHASE.toLowerCase()];
  return phase === 'encoding' || phase === 'reasoning' ? phase : null;
}

/**
 * Whether a server may be asked to tell phases: it says so, and nothing between it and the client names itself, since some
 * proxies take an interim answer for the final one.
 */
export function tellsPhases(
  parameters: Readonly<Record<string, unknown>> | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): boolean {
  return parameters?.[TELLS_PHASES] === true && headers['server'] === undefined && headers['via'] === undefined;
}
