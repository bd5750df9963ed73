import { type ReactNode, type Ref, useState } from 'react';
import { letters } from './shortcuts.ts';
import { shortcuts } from './texts.en.ts';

/** The keys, and a switch that turns letters off. */
export function Help({ ref }: { readonly ref: Ref<HTMLDialogElement> }): ReactNode {
  const [on, setOn] = useState(letters.areOn());
  return (
    <dialog ref={ref} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl className="keys">
        {shortcuts.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input
          type="checkbox"
          checked={on}
          onChange={({ target }) => {
            letters.set(target.checked);
            setOn(target.checked);
          }}
        />{' '}
        Keys do something
      </label>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
