import type { GraphQLResolveInfo } from 'graphql';
import { answerKey, plainSelection } from './plain-selection.ts';
import type { TotalsField } from '../../analysis/statistics.ts';

const PLAIN: ReadonlySet<string> = new Set<TotalsField['name']>([
  'key',
  'featureCount',
  'areaM2',
  'perimeterM',
  'meanProbability',
  '__typename',
]);

/**
 * Reads what an operation asks of groups of features, when it is their sums alone.
 * @returns null where groups have to be resolved: other measures, `@skip` and `@include`
 */
export function plainTotals(info: GraphQLResolveInfo): TotalsField[] | null {
  const [groups, ...others] = info.fieldNodes;
  if (!groups?.selectionSet || others.length > 0) return null;
  const fields = plainSelection(info, groups.selectionSet);
  if (!fields?.every(({ name }) => PLAIN.has(name.value))) return null;
  return fields.map((field) => ({ key: answerKey(field), name: field.name.value as TotalsField['name'] }));
}
