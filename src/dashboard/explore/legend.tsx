import type { ReactNode } from 'react';
import { type Colouring, COLOURINGS } from '../address.ts';
import { changeAddress, useAddress } from '../address-store.ts';
import { CERTAINTY, REST, REVIEW_COLOURS, type Slot, SLOTS } from '../palette.ts';
import { usePrompts } from '../queries.ts';
import { colourings, count, percent, reviews } from '../texts.en.ts';

/**
 * Which colour is which: a letter, a swatch, a question and how many, the first drawn on top; the eye hides a question on the
 * map.
 */
export function Legend({ dark, isOpen }: { readonly dark: boolean; readonly isOpen: boolean }): ReactNode {
  const { prompts, hidden, colouring, opacity } = useAddress();
  const groups = usePrompts();
  const counts = new Map(groups.data?.map(({ prompt, featureCount }) => [prompt, featureCount]));
  const move = (index: number, by: -1 | 1): void => {
    const to = index + by;
    if (to < 0 || to >= prompts.length) return;
    const order = [...prompts];
    [order[index], order[to]] = [order[to]!, order[index]!];
    changeAddress({ prompts: order });
  };
  const toggle = ({ letter }: Slot): void =>
    changeAddress({
      hidden: hidden.includes(letter) ? hidden.filter((one) => one !== letter) : [...hidden, letter].toSorted(),
    });
  return (
    <details className="legend" open={isOpen}>
      <summary>Legend</summary>
      <label>
        Colours
        <select value={colouring} onChange={({ target }) => changeAddress({ colouring: target.value as Colouring })}>
          {COLOURINGS.map((name) => (
            <option key={name} value={name}>
              {colourings[name]}
            </option>
          ))}
        </select>
      </label>
      {colouring === 'prompt' && (
        <ol>
          {prompts.slice(0, SLOTS.length).map((prompt, index) => {
            const slot = SLOTS[index]!;
            const isHidden = hidden.includes(slot.letter);
            return (
              <li
                key={prompt}
                tabIndex={0}
                aria-label={`${slot.letter}: ${prompt}, ${count(counts.get(prompt) ?? 0)}. Alt and arrow keys move it.`}
                onKeyDown={(event) => {
                  if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
                  event.preventDefault();
                  move(index, event.key === 'ArrowUp' ? -1 : 1);
                }}
              >
                <Swatch colour={dark ? slot.bright : slot.deep} letter={slot.letter} dashed={slot.dashed} />
                <span className="name">{prompt}</span>
                <span className="number">{count(counts.get(prompt) ?? 0)}</span>
                <button
                  type="button"
                  className="icon"
                  aria-pressed={isHidden}
                  aria-label={`Hide ${prompt} on the map`}
                  onClick={() => toggle(slot)}
                >
                  <Eye isShut={isHidden} />
                </button>
              </li>
            );
          })}
          {(groups.data?.length ?? 0) > prompts.length && (
            <li>
              <Swatch colour={REST} letter="…" dashed={false} />
              <span className="name">other questions</span>
            </li>
          )}
        </ol>
      )}
      {colouring === 'certainty' && (
        <ul>
          {CERTAINTY.map(([from, colour]) => (
            <li key={from}>
              <Swatch colour={colour} letter="" dashed={false} />
              <span className="name">from {percent(from)}</span>
            </li>
          ))}
        </ul>
      )}
      {colouring === 'review' && (
        <ul>
          {(['ACCEPTED', 'REJECTED', 'UNREVIEWED'] as const).map((status) => (
            <li key={status}>
              <Swatch
                colour={REVIEW_COLOURS[status]}
                letter={status === 'ACCEPTED' ? '✓' : ''}
                dashed={status === 'REJECTED'}
              />
              <span className="name">{reviews[status]}</span>
            </li>
          ))}
        </ul>
      )}
      <label>
        Opacity
        <input
          type="range"
          min="0.1"
          max="1"
          step="0.05"
          value={opacity}
          onChange={({ target }) => changeAddress({ opacity: Number(target.value) })}
        />
      </label>
    </details>
  );
}

/** Whether something is drawn on the map. */
function Eye({ isShut }: { readonly isShut: boolean }): ReactNode {
  return (
    <svg
      width="18"
      height="14"
      viewBox="0 0 18 14"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    >
      <path d="M1 7c2-3.4 4.8-5 8-5s6 1.6 8 5c-2 3.4-4.8 5-8 5s-6-1.6-8-5z" />
      <circle cx="9" cy="7" r="2.3" fill="currentColor" />
      {isShut && <path d="M3 13 15 1" strokeWidth="2" />}
    </svg>
  );
}

/** An SVG, as inline styles of elements are what the content security policy forbids in markup. */
function Swatch({ colour, letter, dashed }: { colour: string; letter: string; dashed: boolean }): ReactNode {
  return (
    <svg className="swatch" width="22" height="22" aria-hidden="true">
      <rect
        x="2"
        y="2"
        width="18"
        height="18"
        rx="3"
        fill={colour}
        fillOpacity="0.25"
        stroke={colour}
        strokeWidth="3"
        strokeDasharray={dashed ? '4 3' : undefined}
      />
      <text x="11" y="15" textAnchor="middle" fontSize="11" fill="currentColor">
        {letter}
      </text>
    </svg>
  );
}
