import { type ReactNode, useRef } from 'react';

/** How much of a narrow page the sheet under the map takes. */
export const SHEETS = ['low', 'half', 'full'] as const;
export type Sheet = (typeof SHEETS)[number];

/** Height of the lowest sheet, and of the header above the highest, pixels. */
const LOW_PX = 96;
const HEADER_PX = 108;

const sheetPx = (sheet: Sheet, pagePx: number): number =>
  ({ low: LOW_PX, half: pagePx * 0.45, full: pagePx - HEADER_PX })[sheet];

/** The sheet whose height is nearest. */
function nearestSheet(px: number, pagePx: number): Sheet {
  const distance = (sheet: Sheet): number => Math.abs(sheetPx(sheet, pagePx) - px);
  return SHEETS.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

interface Properties {
  readonly sheet: Sheet;
  readonly onSheet: (sheet: Sheet) => void;
}

/** A grip on the upper edge of the sheet: dragged, or pressed for the next height. */
export function SheetHandle({ sheet, onSheet }: Properties): ReactNode {
  const from = useRef<{ readonly y: number; readonly px: number } | null>(null);
  const moved = useRef(false);
  const heightAt = (clientY: number): number => (from.current ? from.current.px + from.current.y - clientY : 0);
  return (
    <button
      type="button"
      className="sheet-handle"
      aria-label={`Height of the panel: ${sheet}. Press for the next, or drag.`}
      onClick={() => {
        if (!moved.current) onSheet(SHEETS[(SHEETS.indexOf(sheet) + 1) % SHEETS.length]!);
        moved.current = false;
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { y: event.clientY, px: sheetPx(sheet, innerHeight) };
        moved.current = false;
      }}
      onPointerMove={({ clientY, currentTarget }) => {
        if (!from.current || Math.abs(clientY - from.current.y) < 8) return;
        moved.current = true;
        currentTarget.closest<HTMLElement>('.app')?.style.setProperty('--sheet', `${heightAt(clientY)}px`);
      }}
      onPointerUp={({ clientY, currentTarget }) => {
        currentTarget.closest<HTMLElement>('.app')?.style.removeProperty('--sheet');
        if (moved.current) onSheet(nearestSheet(heightAt(clientY), innerHeight));
        from.current = null;
      }}
    >
      <span />
    </button>
  );
}
