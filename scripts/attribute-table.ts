import type { FeatureAttribute } from '../src/feature/feature-record.ts';
import type { SortedMeasure } from '../src/feature/measures.ts';

const KINDS: Readonly<Record<FeatureAttribute['kind'], string>> = {
  TEXT: 'text',
  REAL: 'double',
  COUNT: 'whole number',
  TIME: 'time',
};

/** A Markdown table of what files say of a feature; measures that filters and orders know have their sort keys. */
export function attributeTable(attributes: readonly FeatureAttribute[], sorted: readonly SortedMeasure[]): string {
  const keys = new Map<string, string>(sorted.map(({ name, sortKey }) => [name, sortKey]));
  const rows = attributes.map(({ name, kind, unit, doc }) => {
    const key = keys.get(name);
    return `| \`${name}\` | ${KINDS[kind]} | ${unit ?? ''} | ${key === undefined ? '' : `\`${key}\``} | ${doc} |`;
  });
  return ['| name | type | unit | order and filter | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
