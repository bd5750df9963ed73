import type { ModelPhase } from './segmentation-model.ts';

/**
 * Request header that asks for phases. The server then sends an interim response (status 102) per phase; the protocol
 * itself has nothing for this.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */
export const WANTS_PHASES = 'Terraql-Phases';

/** Header of such an interim response. */
const PHASE = 'Terraql-Phase';

/** Parameter of a model's metadata: the server reports phases on request. */
export const TELLS_PHASES = 'tells_phases';

/** An interim response on the wire. */
export const phaseNotice = (phase: ModelPhase): string => `HTTP/1.1 102 Processing\r\n${PHASE}: ${phase}\r\n\r\n`;

/** @returns null for an interim response about something else */
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
