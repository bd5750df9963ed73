/** Rows of a table that has room for some of them. */
export interface VisibleRows {
  /** Index of the first row that is drawn. */
  readonly first: number;
  /** Index behind the last. */
  readonly end: number;
  /** Pixels above the first. */
  readonly offsetPx: number;
}

/** Rows beyond each edge, so that scrolling shows no gap. */
const OVERSCAN = 6;

/**
 * Which rows of equal height are seen.
 * @param scrollPx how far the table is scrolled
 * @param heightPx of what is seen of it
 */
export function visibleRows(count: number, rowPx: number, scrollPx: number, heightPx: number): VisibleRows {
  const first = Math.min(Math.max(0, Math.floor(scrollPx / rowPx) - OVERSCAN), Math.max(0, count - 1));
  const end = Math.min(count, Math.ceil((scrollPx + heightPx) / rowPx) + OVERSCAN);
  return { first, end: Math.max(first, end), offsetPx: first * rowPx };
}
