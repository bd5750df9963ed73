import {
  getArgumentValues,
  getNamedType,
  type GraphQLResolveInfo,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** Argument values of a field, defaults filled in. */
export type FieldArguments = Readonly<Record<string, unknown>>;

/**
 * Whether an operation asks for a field below the one that is being resolved, so that it can be read together with it.
 * Fragments are followed; `@skip` and `@include` are not looked at.
 * @param path names of the fields on the way, the wanted one last
 * @returns arguments of the first place where the field is selected, null where there is none
 * @throws {GraphQLError} for arguments that are not of their types
 */
export function selectedField(info: GraphQLResolveInfo, path: readonly string[]): FieldArguments | null {
  const type = getNamedType(info.returnType);
  for (const { selectionSet } of info.fieldNodes) {
    const found = selectionSet && findField(info, selectionSet, type, path);
    if (found) return found;
  }
  return null;
}

function findField(
  info: GraphQLResolveInfo,
  { selections }: SelectionSetNode,
  type: unknown,
  path: readonly string[],
): FieldArguments | null {
  const [name = '', ...below] = path;
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (!field) return null;
  for (const selection of selections) {
    let found: FieldArguments | null | undefined;
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value !== name) continue;
      if (below.length === 0) return getArgumentValues(field, selection, info.variableValues);
      found = selection.selectionSet && findField(info, selection.selectionSet, getNamedType(field.type), below);
    } else {
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
      found = fragment && findField(info, fragment.selectionSet, type, path);
    }
    if (found) return found;
  }
  return null;
}
