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
