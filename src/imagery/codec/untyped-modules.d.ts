/** The used parts of packages whose types the compiler does not find. */

declare module 'lerc' {
  interface Lerc {
    /** @throws a text rather than an error for most damage */
    decode(
      blob: ArrayBuffer,
      options: { readonly returnPixelInterleavedDims: boolean },
    ): { readonly pixels: readonly (ArrayBufferView & { readonly buffer: ArrayBuffer })[] };
  }
  const lerc: Lerc;
  export default lerc;
}

declare module 'xml-utils' {
  /** The first tag at that path of names. */
  export function findTagByPath(
    xml: string,
    path: readonly string[],
  ): { readonly inner: string | null; readonly outer: string } | undefined;
}
