import { type GraphQLArgument, type GraphQLSchema, isNonNullType, isObjectType } from 'graphql';

/** A request value in which every `null` stands for an absent field. */
export type WithoutNulls<T> = T extends (infer Item)[]
  ? WithoutNulls<Item>[]
  : T extends Date
    ? T
    : T extends object
      ? { [Key in keyof T]: WithoutNulls<NonNullable<T[Key]>> }
      : T;

/**
 * Drops the fields of a GraphQL input that a client set to `null`: for an optional condition null and absent mean the
 * same. Plain copies come out; dates are kept as they are.
 */
export function withoutNulls<T>(input: T): WithoutNulls<T> {
  if (Array.isArray(input)) return input.map(withoutNulls) as WithoutNulls<T>;
  if (typeof input !== 'object' || input === null || input instanceof Date) return input as WithoutNulls<T>;
  const entries = Object.entries(input).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNulls(value)])) as WithoutNulls<T>;
}

/** Values of arguments by name. */
type Arguments = Readonly<Record<string, unknown>>;

/** The arguments with the default, or nothing, in place of an explicit `null`. */
export function withoutNullArguments(args: readonly GraphQLArgument[], given: Arguments): Arguments {
  let changed: Record<string, unknown> | null = null;
  for (const { name, type, defaultValue } of args) {
    if (given[name] !== null || isNonNullType(type)) continue;
    changed ??= { ...given };
    if (defaultValue === undefined) delete changed[name];
    else changed[name] = defaultValue;
  }
  return changed ?? given;
}

/**
 * Lets no resolver see an explicit `null` for an argument: clients that declare a variable for every optional argument send
 * null for those that they do not need.
 */
export function dropNullArguments(schema: GraphQLSchema): void {
  const own = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('__'));
  const fields = own.flatMap((type) => (isObjectType(type) ? Object.values(type.getFields()) : []));
  for (const field of fields) {
    const { args, resolve, subscribe } = field;
    if (args.every(({ type }) => isNonNullType(type))) continue;
    if (resolve) {
      field.resolve = (source, given: Arguments, context, info) =>
        resolve(source, withoutNullArguments(args, given), context, info);
    }
    if (subscribe) {
      field.subscribe = (source, given: Arguments, context, info) =>
        subscribe(source, withoutNullArguments(args, given), context, info);
    }
  }
}
