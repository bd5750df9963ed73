import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { changeAddress, useAddress } from '../address-store.ts';
import type { FeatureRowFragment, FeatureSortKey } from '../generated/graphql.ts';
import { problemText } from '../graphql.ts';
import { MAX_ROWS, useFeature, useFeatures } from '../queries.ts';
import { area, length, percent, reviews, texts } from '../texts.en.ts';
import { visibleRows } from './visible-rows.ts';

const ROW_PX = 36;

interface Column {
  readonly name: string;
  readonly sortKey: FeatureSortKey | null;
  readonly cell: (row: FeatureRowFragment) => string;
}

const COLUMNS: readonly Column[] = [
  { name: 'Question', sortKey: null, cell: ({ segmentation }) => segmentation.prompt },
  { name: 'Area', sortKey: 'AREA', cell: ({ areaM2 }) => area(areaM2) },
  { name: 'Perimeter', sortKey: 'PERIMETER', cell: ({ perimeterM }) => length(perimeterM) },
  { name: 'Certainty', sortKey: 'PROBABILITY', cell: ({ meanProbability }) => percent(meanProbability) },
  { name: 'Elongation', sortKey: 'ELONGATION', cell: ({ elongation }) => elongation?.toFixed(2) ?? '–' },
  { name: 'Image', sortKey: 'CREATED', cell: ({ scene }) => scene.name },
  {
    name: 'Review',
    sortKey: null,
    cell: ({ review }) => (review ? [reviews[review.status], review.label].filter(Boolean).join(', ') : ''),
  },
];

interface Properties {
  readonly hover: string | null;
  readonly onHover: (id: string | null) => void;
}

/** Features in the order of the server, a page at a time as one scrolls; only the rows that are seen are drawn. */
export function FeatureTable({ hover, onHover }: Properties): ReactNode {
  const { order, feature: selected } = useAddress();
  const features = useFeatures();
  const pinned = useFeature(selected);
  const body = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ scrollPx: 0, heightPx: 400 });
  const rows = useMemo(() => features.data?.pages.flatMap(({ nodes }) => nodes) ?? [], [features.data]);
  const total = features.data?.pages[0]?.totalCount ?? 0;
  const shown = visibleRows(rows.length, ROW_PX, view.scrollPx, view.heightPx);
  const { hasNextPage, isFetching, fetchNextPage } = features;
  useEffect(() => {
    if (hasNextPage && !isFetching && shown.end >= rows.length - 20) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, shown.end, rows.length]);
  useEffect(() => {
    const element = body.current!;
    const observer = new ResizeObserver(() => setView((before) => ({ ...before, heightPx: element.clientHeight })));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const sortBy = (key: FeatureSortKey): void => {
    const direction = order.by === key && order.direction === 'DESC' ? 'ASC' : 'DESC';
    changeAddress({ order: { by: key, direction } });
  };
  const extra = pinned.data && !rows.some(({ id }) => id === selected) ? pinned.data : null;
  const row = (one: FeatureRowFragment, index: number): ReactNode => (
    <div
      key={one.id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={one.id === selected}
      className={one.id === hover ? 'row hover' : 'row'}
      onMouseEnter={() => onHover(one.id)}
      onMouseLeave={() => onHover(null)}
      onClick={() => changeAddress({ feature: one.id })}
    >
      {COLUMNS.map(({ name, cell }, column) => (
        <span key={name} role="gridcell" className="cell">
          {column === 0 ? (
            <button type="button" className="link">
              {cell(one)}
            </button>
          ) : (
            cell(one)
          )}
        </span>
      ))}
    </div>
  );
  return (
    <section aria-label="Features" className="table">
      <p role="status" className="facts">
        {features.isLoading && texts.loading('features')}
        {features.error && problemText(features.error)}
        {rows.length >= MAX_ROWS && total > rows.length && texts.firstRows(rows.length, total)}
      </p>
      <div role="grid" aria-rowcount={total + 1} aria-label={`${total} features`} className="grid">
        <div role="row" aria-rowindex={1} className="row head">
          {COLUMNS.map(({ name, sortKey }) => (
            <span
              key={name}
              role="columnheader"
              className="cell"
              aria-sort={
                sortKey !== null && order.by === sortKey
                  ? order.direction === 'ASC'
                    ? 'ascending'
                    : 'descending'
                  : 'none'
              }
            >
              {sortKey === null ? (
                name
              ) : (
                <button type="button" onClick={() => sortBy(sortKey)}>
                  {name}
                  {order.by === sortKey ? (order.direction === 'ASC' ? ' ▲' : ' ▼') : ''}
                </button>
              )}
            </span>
          ))}
        </div>
        {extra && row(extra, -1)}
        <div
          ref={body}
          role="rowgroup"
          className="rows"
          tabIndex={0}
          onScroll={({ currentTarget }) =>
            setView({ scrollPx: currentTarget.scrollTop, heightPx: currentTarget.clientHeight })
          }
        >
          <div className="spacer" style={{ height: rows.length * ROW_PX }}>
            <div style={{ transform: `translateY(${shown.offsetPx}px)` }}>
              {rows.slice(shown.first, shown.end).map((one, index) => row(one, shown.first + index))}
            </div>
          </div>
        </div>
      </div>
    </section>
  );
}
