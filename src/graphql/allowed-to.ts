import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { Extensions } from 'type-graphql';
import { requireRole } from '../identity/identity-errors.ts';
import type { Refusals } from '../identity/refusals.ts';
import { ROLES, type Role, type Viewer } from '../identity/viewer.ts';

/** Declares the least role that may use a query, mutation or subscription. The schema is not built without it. */
export const AllowedTo = (role: Role): MethodDecorator => Extensions({ allowedTo: role }) as MethodDecorator;

/** @returns the rule of a root field; undefined where none is declared */
export function ruleOf(root: GraphQLObjectType, field: string): Role | undefined {
  const declared = root.getFields()[field]?.extensions['allowedTo'];
  return ROLES.find((role) => role === declared);
}

/** @throws {Error} naming the queries, mutations and subscriptions that do not say who may use them */
export function requireRules(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const without = roots.flatMap((root) =>
    Object.keys(root?.getFields() ?? {}).flatMap((field) =>
      root && !ruleOf(root, field) ? `${root.name}.${field}` : [],
    ),
  );
  if (without.length > 0) throw new Error(`@AllowedTo is missing on ${without.join(', ')}.`);
}

/** @throws {ForbiddenError} for the first root field of the operation that the viewer may not use */
export function checkRoles(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  viewer: Viewer,
  refusals: Pick<Refusals, 'forbidden'>,
): void {
  const root = schema.getRootType(operation.operation);
  if (!root) return;
  for (const field of rootFields(document, operation.selectionSet)) {
    const rule = ruleOf(root, field);
    if (rule) requireRole(`${operation.operation} ${field}`, viewer, rule, refusals);
  }
}

function rootFields(document: DocumentNode, selection: SelectionSetNode): Set<string> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const fields = new Set<string>();
  const pending = [selection];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const selected of next.selections) {
      if (selected.kind === Kind.FIELD) fields.add(selected.name.value);
      else if (selected.kind === Kind.INLINE_FRAGMENT) pending.push(selected.selectionSet);
      else {
        const fragment = fragments.get(selected.name.value);
        fragments.delete(selected.name.value);
        if (fragment) pending.push(fragment.selectionSet);
      }
    }
  }
  return fields;
}
