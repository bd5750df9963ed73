/**
 * A keyset page that a caller asks for: of the nodes behind `after` and ahead of `before` the `first` or the `last`, 1 or
 * more. Cursors that are absent or null leave that end open.
 */
export type PageRequest = (
  | { readonly first: number; readonly last?: undefined }
  | { readonly last: number; readonly first?: undefined }
) & { readonly after?: string | null; readonly before?: string | null };

/** Nodes in order, each with the cursor after which a page begins or before which it ends; stable while rows are added. */
export interface Page<Node> {
  readonly edges: readonly { readonly node: Node; readonly cursor: string }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** A page that can tell the number of nodes on all pages. */
export interface CountedPage<Node> extends Page<Node> {
  /** Counts when it is called, which for many nodes takes longer than the page itself. */
  readonly totalCount: () => Promise<number>;
}
