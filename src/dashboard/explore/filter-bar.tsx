import type { Polygon, Position } from 'geojson';
import { type ReactNode, useState } from 'react';
import { changeAddress, useAddress } from '../address-store.ts';
import { type Condition, CONDITIONS, countConditions, pruned } from '../filter.ts';
import type { FeatureFilter } from '../generated/graphql.ts';
import { problemText } from '../graphql.ts';
import { useFilter, useGround, usePrompts, useSummary, useViews } from '../queries.ts';
import { conditions, texts } from '../texts.en.ts';
import { ConditionForm } from './condition-form.tsx';

interface Properties {
  readonly centre: Position | null;
  readonly onDraw: (onDrawn: (outline: Polygon) => void) => void;
}

/** The conditions as chips, each with its form; the summary of what matches. */
export function FilterBar({ centre, onDraw }: Properties): ReactNode {
  const filter = useFilter();
  const { view } = useAddress();
  const views = useViews();
  const prompts = usePrompts();
  const summary = useSummary();
  const ground = useGround();
  const [open, setOpen] = useState<Condition | null>(null);
  // A change of a saved view's filter is a filter of one's own.
  const change = (part: Partial<FeatureFilter>): void => {
    changeAddress({ filter: pruned({ ...filter, ...part }), view: null });
    setOpen(null);
  };
  const number = countConditions(filter);
  return (
    <section aria-label="Filter">
      {views.data && views.data.length > 0 && (
        <label>
          Saved view
          <select
            value={view ?? ''}
            onChange={({ target }) => changeAddress({ view: target.value || null, filter: {} })}
          >
            <option value="">–</option>
            {views.data.map(({ slug, name }) => (
              <option key={slug} value={slug}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <ul className="chips">
        {CONDITIONS.map((condition) => (
          <li key={condition}>
            <button
              type="button"
              aria-pressed={filter[condition] !== undefined}
              aria-expanded={open === condition}
              data-shortcut={condition === 'promptContains' ? 'f' : undefined}
              onClick={() => setOpen(open === condition ? null : condition)}
            >
              {conditions[condition]}
              {filter[condition] !== undefined && <span aria-hidden="true"> ●</span>}
            </button>
          </li>
        ))}
      </ul>
      {open && (
        <ConditionForm
          key={open}
          condition={open}
          filter={filter}
          prompts={prompts.data?.map(({ prompt }) => prompt) ?? []}
          centre={centre}
          onDraw={onDraw}
          onChange={change}
        />
      )}
      <p role="status" className="summary">
        {summary.isFetching && summary.data !== undefined ? `${texts.updating} ` : ''}
        {summary.error ? problemText(summary.error) : ''}
        {summary.data &&
          summary.data.featureCount > 0 &&
          texts.summary(summary.data.featureCount, summary.data.areaM2 ?? null, ground.data ?? null)}
        {number > 0 && (summary.data === null || summary.data?.featureCount === 0) && texts.noMatch(number)}
      </p>
      {number > 0 && (
        <button type="button" onClick={() => changeAddress({ filter: {}, view: null })}>
          {texts.clearAll}
        </button>
      )}
    </section>
  );
}
