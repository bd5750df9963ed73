import { type FieldNode, getArgumentValues, type GraphQLResolveInfo, Kind } from 'graphql';
import { answerKey, plainSelection } from './plain-selection.ts';
import { MEASURES } from '../../feature/measures.ts';
import type { AskedTexts, PlainField, PlainName } from '../../feature/feature.store.ts';
import { geometryFormat, type OutlineArguments } from './outline-field.ts';

/** What an operation asks of the nodes of a page, when it is values of features alone. */
export interface PlainNodes extends AskedTexts {
  /** Name that the answer has the nodes under. */
  readonly key: string;
}

const PLAIN: ReadonlySet<string> = new Set<PlainName>(['id', ...MEASURES.map(({ name }) => name), 'distanceM']);

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
  const asked = plainSelection(info, nodes.selectionSet)?.map((field) => plainField(info, field));
  if (!asked?.every((field) => field !== null)) return null;
  const pageInfo = fields.some(({ name }) => name.value === 'pageInfo');
  return { key: answerKey(nodes), fields: asked, pageInfo };
}

function plainField(info: GraphQLResolveInfo, node: FieldNode): PlainField | null {
  const name = node.name.value;
  const key = answerKey(node);
  if (name === '__typename') return { key, name };
  if (PLAIN.has(name)) return { key, name: name as PlainName };
  const type = info.schema.getType('Feature');
  const geometry = type && 'getFields' in type ? type.getFields()['geometry'] : undefined;
  if (name !== 'geometry' || !geometry || !('args' in geometry)) return null;
  const given = getArgumentValues(geometry, node, info.variableValues) as unknown as OutlineArguments;
  return { key, name, format: geometryFormat(given) };
}
