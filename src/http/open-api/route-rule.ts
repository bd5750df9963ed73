import type { Rule } from '../../identity/viewer.ts';

/** Who may use the addresses of one route. */
export interface RouteRule {
  /** As Express writes it. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly role: Rule;
}
