/** An enum object whose names are its values, as `registerEnumType` and string unions both want it. */
export function enumOf<T extends string>(...values: readonly T[]): { readonly [K in T]: K } {
  return Object.fromEntries(values.map((value) => [value, value])) as { [K in T]: K };
}
