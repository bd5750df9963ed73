import { type ReactNode, useId } from 'react';
import { count } from '../texts.en.ts';

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly colour?: string;
  readonly isChosen: boolean;
  /** Filters by the value of the bar. */
  readonly choose: () => void;
}

/** Bars that are buttons, each as long as its number, with the number beside it. */
export function Bars({ title, bars }: { readonly title: string; readonly bars: readonly Bar[] }): ReactNode {
  const headingId = useId();
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <section aria-labelledby={headingId} className="bars">
      <h3 id={headingId}>{title}</h3>
      <ul>
        {bars.map(({ name, value, colour, isChosen, choose }) => (
          <li key={name}>
            <button type="button" aria-pressed={isChosen} onClick={choose}>
              <span className="name">{name}</span>
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(100 * value) / most} height="10" fill={colour ?? 'currentColor'} />
              </svg>
              <span className="number">{count(value)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
