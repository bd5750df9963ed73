/** A connection whose nodes are not resolved, since the answer gets them as text. */
export interface WrittenConnection<PageInfo> {
  readonly edges: readonly never[];
  readonly nodes: readonly never[];
  /** Null where the operation does not select it. */
  readonly pageInfo: PageInfo | null;
  readonly totalCount: Promise<number>;
}

/** @param count of the nodes on all pages; called when the operation selects it */
export function writtenConnection<PageInfo>(
  pageInfo: PageInfo | null,
  count: () => Promise<number>,
): WrittenConnection<PageInfo> {
  return {
    edges: [],
    nodes: [],
    pageInfo,
    get totalCount() {
      return count();
    },
  };
}
