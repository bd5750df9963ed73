import { type FieldNode, getArgumentValues, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';
import type { AskedTexts, PlainField, PlainName } from './feature.store.ts';
import { geometryFormat, type OutlineArguments } from './outline-field.ts';

/** What an operation asks of the nodes of a page, when it is values of features alone. */
export interface PlainNodes extends AskedTexts {
  /** Name that the answer has the nodes under. */
  readonly key: string;
}

const PLAIN: ReadonlySet<string> = new Set<PlainName>([
  'id',
  'areaM2',
  'perimeterM',
  'meanProbability',
  'compactness',
  'bearingDeg',
  'distanceM',
]);

/**
 * Reads what an operation asks of a page of features.
 * @returns null where nodes have to be resolved: edges, relations, other fields, `@skip` and `@include`
 */
export function plainNodes(info: GraphQLResolveInfo): PlainNodes | null {
  const [page, ...others] = info.fieldNodes;
  const selections = page?.selectionSet?.selections ?? [];
  const fields = selections.filter((selection) => selection.kind === Kind.FIELD);
  const simple = others.length === 0 && fields.length === selections.length;
  if (!simple || fields.some(({ name, directives }) => name.value === 'edges' || directives?.length)) return null;
  const [nodes, ...repeated] = fields.filter(({ name }) => name.value === 'nodes');
  if (!nodes?.selectionSet || repeated.length > 0) return null;
  const plain = fieldsOf(info, nodes.selectionSet);
  const pageInfo = fields.some(({ name }) => name.value === 'pageInfo');
  return plain && { key: keyOf(nodes), fields: [...plain.values()], pageInfo };
}

/** By their names in the answer. Every fragment applies, as a node is a feature always. */
function fieldsOf(info: GraphQLResolveInfo, { selections }: SelectionSetNode): Map<string, PlainField> | null {
  const fields = new Map<string, PlainField>();
  for (const selection of selections) {
    const found = selection.directives?.length ? null : fieldsOfSelection(info, selection);
    if (!found) return null;
    for (const [key, field] of found) if (!fields.has(key)) fields.set(key, field);
  }
  return fields;
}

function fieldsOfSelection(
  info: GraphQLResolveInfo,
  selection: SelectionSetNode['selections'][number],
): ReadonlyMap<string, PlainField> | null {
  if (selection.kind !== Kind.FIELD) {
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
    return fragment ? fieldsOf(info, fragment.selectionSet) : null;
  }
  const field = plainField(info, selection);
  return field && new Map([[field.key, field]]);
}

function plainField(info: GraphQLResolveInfo, node: FieldNode): PlainField | null {
  const name = node.name.value;
  const key = keyOf(node);
  if (name === '__typename') return { key, name };
  if (PLAIN.has(name)) return { key, name: name as PlainName };
  const type = info.schema.getType('Feature');
  const geometry = type && 'getFields' in type ? type.getFields()['geometry'] : undefined;
  if (name !== 'geometry' || !geometry || !('args' in geometry)) return null;
  const given = getArgumentValues(geometry, node, info.variableValues) as unknown as OutlineArguments;
  return { key, name, format: geometryFormat(given) };
}

const keyOf = ({ name, alias }: FieldNode): string => (alias ?? name).value;
