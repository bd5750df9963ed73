import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { texts } from './texts.en.ts';

/** Which of the two panels at the edges of the page are open. */
export interface Edges {
  readonly left: boolean;
  readonly right: boolean;
  readonly className: string;
  readonly toggleLeft: () => void;
  readonly toggleRight: () => void;
}

/** Below this width the right panel lies over the map. */
const overlays = matchMedia('(max-width: 1200px)');

/** Below this width panels are a sheet under the map, and the legend lies over it. */
const narrow = matchMedia('(max-width: 700px)');

export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener('change', listener);
      return () => narrow.removeEventListener('change', listener);
    },
    () => narrow.matches,
  );
}

/** Both panels are open where there is room for them; where the right one covers the map, it opens with a selection. */
export function useEdges(selected: string | null): Edges {
  const [left, setLeft] = useState(true);
  const [right, setRight] = useState(!overlays.matches);
  useEffect(() => {
    if (selected !== null && overlays.matches) setRight(true);
  }, [selected]);
  return {
    left,
    right,
    className: [left ? '' : 'no-left', right ? '' : 'no-right'].filter(Boolean).join(' '),
    toggleLeft: () => setLeft((before) => !before),
    toggleRight: () => setRight((before) => !before),
  };
}

/** Opens and closes the panels at the edges. */
export function EdgeButtons({ edges: { left, right, toggleLeft, toggleRight } }: { readonly edges: Edges }): ReactNode {
  return (
    <>
      <button
        type="button"
        className="edge edge-left"
        aria-label={texts.leftPanel}
        aria-expanded={left}
        onClick={toggleLeft}
      >
        <span aria-hidden="true">{left ? '‹' : '›'}</span>
      </button>
      <button
        type="button"
        className="edge edge-right"
        aria-label={texts.rightPanel}
        aria-expanded={right}
        onClick={toggleRight}
      >
        <span aria-hidden="true">{right ? '›' : '‹'}</span>
      </button>
    </>
  );
}
