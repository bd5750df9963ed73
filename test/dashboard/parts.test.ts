import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import type { Map as MapLibreMap } from 'maplibre-gl';
import { describe, expect, it } from 'vitest';
import { AREA_DECADES, both, filterKey } from '../../src/dashboard/filter.ts';
import { FeatureMarks, statesOf } from '../../src/dashboard/map/feature-marks.ts';
import { neighbourInQueue } from '../../src/dashboard/review/review-queue.ts';
import { UndoStack } from '../../src/dashboard/review/undo.ts';
import { visibleRows } from '../../src/dashboard/table/visible-rows.ts';
import { SLOTS, slotOf } from '../../src/dashboard/palette.ts';

describe('a filter', () => {
  it('has one text for one meaning', () => {
    const one = filterKey({ areaM2: { max: 2, min: 1 }, promptContains: 'a', label: null });
    expect(one).toBe(filterKey({ promptContains: 'a', areaM2: { min: 1, max: 2 } }));
    expect(filterKey({ review: ['ACCEPTED', 'REJECTED'] })).not.toBe(filterKey({ review: ['REJECTED', 'ACCEPTED'] }));
  });

  it('is joined with another without losing a condition of either', () => {
    expect(both({ prompt: 'a' }, { label: 'b' })).toEqual({ prompt: 'a', label: 'b' });
    expect(both({ prompt: 'a' }, { prompt: 'b' })).toEqual({ and: [{ prompt: 'a' }, { prompt: 'b' }] });
  });

  it('of decades counts every area once', () => {
    for (const area of [0, 0.5, 9.999, 10, 99.9, 1e3, 123_456, 1e6, 9e9]) {
      const holding = AREA_DECADES.filter(({ min, max }) => area >= (min ?? -Infinity) && area <= (max ?? Infinity));
      expect([area, holding.length]).toEqual([area, 1]);
    }
  });
});

describe('the table', () => {
  it('draws what is seen and little more, at every scroll', () => {
    for (let scroll = 0; scroll <= 5000 * 36; scroll += 997) {
      const { first, end, offsetPx } = visibleRows(5000, 36, scroll, 400);
      expect(offsetPx).toBe(first * 36);
      expect(first * 36).toBeLessThanOrEqual(scroll);
      expect(Math.min(5000 * 36, scroll + 400)).toBeLessThanOrEqual(end * 36);
      expect(end - first).toBeLessThan(30);
    }
    expect(visibleRows(0, 36, 0, 400)).toEqual({ first: 0, end: 0, offsetPx: 0 });
  });
});

describe('marks on the map', () => {
  it('join what is said of one feature', () => {
    const states = statesOf({
      selected: 'a',
      hover: 'a',
      reviews: new Map([
        ['a', 'ACCEPTED'],
        ['b', 'REJECTED'],
      ]),
    });
    expect([...states]).toEqual([
      ['a', { hover: true, selected: true, review: 'ACCEPTED' }],
      ['b', { review: 'REJECTED' }],
    ]);
  });

  it('are written once, and only where they change', () => {
    const calls: string[] = [];
    const map = {
      getSource: () => ({}),
      setFeatureState: ({ id }: { id: string }, state: object) => calls.push(`${id} ${JSON.stringify(state)}`),
      removeFeatureState: ({ id }: { id: string }) => calls.push(`${id} -`),
    } as unknown as MapLibreMap;
    const marks = new FeatureMarks(map);
    marks.write({ selected: 'a', hover: null, reviews: new Map() });
    marks.write({ selected: 'a', hover: 'b', reviews: new Map() });
    marks.write({ selected: null, hover: 'b', reviews: new Map() });
    expect(calls).toEqual(['a {"selected":true}', 'b {"hover":true}', 'a -']);
  });
});

describe('the queue of reviews', () => {
  it('goes on from where one is, and starts at its ends', () => {
    const ids = ['a', 'b', 'c'];
    expect(neighbourInQueue(ids, null, 1)).toBe('a');
    expect(neighbourInQueue(ids, 'b', 1)).toBe('c');
    expect(neighbourInQueue(ids, 'b', -1)).toBe('a');
    expect(neighbourInQueue(ids, 'c', 1)).toBeNull();
    expect(neighbourInQueue([], null, 1)).toBeNull();
  });

  it('takes back one verdict at a time, latest first', () => {
    const undo = new UndoStack();
    const said = (id: string) => ({
      id,
      before: { status: 'UNREVIEWED', label: null, note: null } as const,
      after: { status: 'ACCEPTED', label: null, note: null } as const,
    });
    undo.push(said('a'));
    undo.push(said('b'));
    expect([undo.pop()?.id, undo.pop()?.id, undo.pop()]).toEqual(['b', 'a', null]);
  });
});

describe('the palette', () => {
  it('has a letter for each slot, and dashes where a colour repeats', () => {
    expect(SLOTS.map(({ letter }) => letter).join('')).toBe('ABCDEFGHIJKL');
    for (const [index, slot] of SLOTS.entries()) expect(slot.dashed).toBe(index >= 6);
    expect(slotOf(['water', 'roads'], 'roads')?.letter).toBe('B');
    expect(slotOf(['water'], 'roads')).toBeNull();
  });
});

describe('the style of the map', () => {
  it.each(['prompt', 'certainty', 'review'] as const)('is valid when coloured by %s', async (colouring) => {
    Object.assign(globalThis, { document: { baseURI: 'http://127.0.0.1/' } });
    const { mapStyle } = await import('../../src/dashboard/map/map-style.ts');
    const style = mapStyle(
      {
        filter: { promptContains: 'a' },
        revision: 1,
        prompts: Array.from({ length: 9 }, (_, index) => `question ${index}`),
        hidden: ['B'],
        colouring,
        opacity: 0.5,
        dark: true,
        isComparing: false,
        isSwiping: false,
      },
      null,
    );
    expect(validateStyleMin(style)).toEqual([]);
  });
});
