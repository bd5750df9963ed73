/** A keyset page that a caller asks for. */
export interface PageRequest {
  /** Most nodes to return, at least 1. */
  readonly first: number;
  /** Cursor of the last node of the page before; null for the first page. */
  readonly after: string | null;
}

/** Nodes in order, each with the cursor that the next page begins behind; stable when rows are added meanwhile. */
export interface Page<Node> {
  readonly edges: readonly { readonly node: Node; readonly cursor: string }[];
  readonly hasNextPage: boolean;
}

/** A page with the number of nodes on all pages. */
export interface CountedPage<Node> extends Page<Node> {
  readonly totalCount: number;
}
