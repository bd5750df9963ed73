import { z } from 'zod';

/** What the table of settings in `docs/deployment.md` says of a variable, beside its default. */
export interface Documentation {
  readonly description: string;
  readonly unit?: string | undefined;
  /** Stands for a default that depends on the machine, or for what happens without a value. */
  readonly otherwise?: string;
}

/** A whole number of at least 1. */
export const count = (fallback: number, description: string, unit?: string) =>
  z.coerce
    .number()
    .int()
    .positive()
    .default(fallback)
    .meta({ description, unit } satisfies Partial<Documentation>);

/** An environment variable with its schema; the last step of each attaches its documentation. */
export const documented = <Schema extends z.ZodType>(schema: Schema, documentation: Documentation): Schema =>
  schema.meta({ ...documentation });

/** Names as the table of settings shows them. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
