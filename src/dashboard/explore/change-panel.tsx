import { type ReactNode, useEffect, useRef } from 'react';
import { changeAddress, useAddress } from '../address-store.ts';
import { problemText } from '../graphql.ts';
import { CHANGE_COLOURS, CHANGE_COLOURS_LIGHT } from '../palette.ts';
import { useChange, useRuns } from '../queries.ts';
import { area, date, texts } from '../texts.en.ts';

interface Properties {
  readonly dark: boolean;
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}

/** Compares two answers: what appeared, vanished and stayed is drawn on the map, with a swipe between the images. */
export function ChangePanel({ dark, isOpen, onOpen }: Properties): ReactNode {
  const { change, swipe } = useAddress();
  const runs = useRuns();
  const found = useChange(change);
  const answered = runs.data?.filter(({ state }) => state === 'SUCCEEDED') ?? [];
  const first = useRef<HTMLSelectElement>(null);
  const colours = dark ? CHANGE_COLOURS : CHANGE_COLOURS_LIGHT;
  useEffect(() => {
    if (isOpen && change === null) first.current?.focus();
  }, [isOpen, change]);
  const choose = (index: 0 | 1, id: string): void => {
    const [from, to] = change ?? [answered[1]?.id ?? '', answered[0]?.id ?? ''];
    const pair = index === 0 ? ([id, to] as const) : ([from, id] as const);
    const isPair = pair[0] !== '' && pair[1] !== '' && pair[0] !== pair[1];
    changeAddress(isPair ? { change: pair } : { change: null, swipe: null });
  };
  return (
    <details className="change" open={isOpen} onToggle={({ currentTarget }) => onOpen(currentTarget.open)}>
      <summary>{texts.compare}</summary>
      {(['Earlier', 'Later'] as const).map((name, index) => (
        <label key={name}>
          {name}
          <select
            ref={index === 0 ? first : undefined}
            value={change?.[index] ?? ''}
            onChange={({ target }) => choose(index as 0 | 1, target.value)}
          >
            <option value="">–</option>
            {answered.map(({ id, prompt, scene, createdAt }) => (
              <option key={id} value={id}>{`${prompt} · ${scene.name} · ${date(createdAt)}`}</option>
            ))}
          </select>
        </label>
      ))}
      {found.error && (
        <p role="alert">{/overlap/.test(found.error.message) ? texts.noOverlap : problemText(found.error)}</p>
      )}
      {found.data && (
        <>
          <p role="status">
            {texts.change(found.data.appearedAreaM2, found.data.vanishedAreaM2, found.data.persistedAreaM2)}
          </p>
          <ul className="legend-list">
            <ChangeKey colour={colours.appeared} sign="+" name={`appeared ${area(found.data.appearedAreaM2)}`} />
            <ChangeKey colour={colours.vanished} sign="−" name={`vanished ${area(found.data.vanishedAreaM2)}`} />
            <ChangeKey colour={colours.stayed} sign="" name={`stayed ${area(found.data.persistedAreaM2)}`} />
          </ul>
          <button
            type="button"
            aria-pressed={swipe !== null}
            onClick={() => changeAddress({ swipe: swipe === null ? 0.5 : null })}
          >
            Swipe between the images
          </button>
        </>
      )}
    </details>
  );
}

function ChangeKey({ colour, sign, name }: { colour: string; sign: string; name: string }): ReactNode {
  return (
    <li>
      <svg className="swatch" width="22" height="22" aria-hidden="true">
        <rect
          x="2"
          y="2"
          width="18"
          height="18"
          fill="none"
          stroke={colour}
          strokeWidth="3"
          strokeDasharray={sign === '−' ? '4 3' : undefined}
        />
        <text x="11" y="16" textAnchor="middle" fontSize="14" fill="currentColor">
          {sign}
        </text>
      </svg>
      <span className="name">{name}</span>
    </li>
  );
}
