import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

/** Name that an answer has a field under. */
export const answerKey = ({ name, alias }: FieldNode): string => (alias ?? name).value;

/**
 * The fields that an operation asks of an object, each once by its name in the answer. Every fragment applies, so it is for
 * objects whose type is known in advance.
 * @returns null where `@skip` or `@include` decides
 */
export function plainSelection(info: GraphQLResolveInfo, { selections }: SelectionSetNode): FieldNode[] | null {
  const fields = new Map<string, FieldNode>();
  for (const selection of selections) {
    const found = selection.directives?.length ? null : fieldsOf(info, selection);
    if (!found) return null;
    for (const field of found) if (!fields.has(answerKey(field))) fields.set(answerKey(field), field);
  }
  return [...fields.values()];
}

function fieldsOf(info: GraphQLResolveInfo, selection: SelectionSetNode['selections'][number]): FieldNode[] | null {
  if (selection.kind === Kind.FIELD) return [selection];
  const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
  return fragment ? plainSelection(info, fragment.selectionSet) : null;
}
