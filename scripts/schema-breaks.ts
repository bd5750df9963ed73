import { CriticalityLevel, diff, DiffRule } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

/** A change of the schema by which an operation of a client may fail. */
export interface SchemaBreak {
  /** Such as `Feature.areaM2`. */
  readonly path: string;
  readonly message: string;
}

/**
 * What breaks clients of the released schema. What was deprecated in the release may go.
 * @param released as GraphQL's schema language
 * @param present as GraphQL's schema language
 */
export async function schemaBreaks(released: string, present: string): Promise<SchemaBreak[]> {
  const changes = await diff(buildSchema(released), buildSchema(present), [DiffRule.suppressRemovalOfDeprecatedField]);
  return changes.flatMap(({ criticality, path = '', message }) =>
    criticality.level === CriticalityLevel.Breaking ? [{ path, message }] : [],
  );
}

/** Breaks that the part "Unreleased" of the changelog does not name in backticks, as `Type.field`. */
export function unannounced(breaks: readonly SchemaBreak[], changelog: string): SchemaBreak[] {
  const [, unreleased = ''] = /^## Unreleased\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(changelog) ?? [];
  const named = new Set([...unreleased.matchAll(/`([\w.]+)`/g)].map(([, name]) => name));
  return breaks.filter(({ path }) => !named.has(path));
}
