import type { ReactNode } from 'react';
import { changeAddress, useAddress } from '../address-store.ts';
import { AREA_DECADES, pruned } from '../filter.ts';
import type { FeatureFilter, FloatRange } from '../generated/graphql.ts';
import { problemText } from '../graphql.ts';
import { slotOf } from '../palette.ts';
import { useCharts, useFilter, usePrompts } from '../queries.ts';
import { area } from '../texts.en.ts';
import { Bars } from './bars.tsx';

/** Features by area, by question and over time; a click on a bar filters by it, and a second click removes the filter. */
export function ChartPanel({ dark }: { readonly dark: boolean }): ReactNode {
  const filter = useFilter();
  const { prompts: order } = useAddress();
  const prompts = usePrompts();
  const charts = useCharts();
  const toggle = (part: Partial<FeatureFilter>, isChosen: boolean): void => {
    const cleared = Object.fromEntries(Object.keys(part).map((name) => [name, undefined]));
    changeAddress({ filter: pruned({ ...filter, ...(isChosen ? cleared : part) }), view: null });
  };
  const isRange = (range: FloatRange): boolean => JSON.stringify(filter.areaM2) === JSON.stringify(range);
  if (charts.error) return <p role="alert">{problemText(charts.error)}</p>;
  return (
    <section aria-label="Charts" className="charts">
      {prompts.data && (
        <Bars
          title="By question"
          bars={prompts.data.slice(0, 12).map(({ prompt, featureCount }) => {
            const slot = slotOf(order, prompt);
            const isChosen = filter.prompt === prompt;
            return {
              name: prompt,
              value: featureCount,
              ...(slot ? { colour: dark ? slot.bright : slot.deep } : {}),
              isChosen,
              choose: () => toggle({ prompt }, isChosen),
            };
          })}
        />
      )}
      {charts.data && (
        <Bars
          title="By area"
          bars={charts.data.byArea.map((value, power) => {
            const areaM2 = AREA_DECADES[power]!;
            const name = power === 0 ? `under ${area(10)}` : `from ${area(10 ** power)}`;
            return { name, value, isChosen: isRange(areaM2), choose: () => toggle({ areaM2 }, isRange(areaM2)) };
          })}
        />
      )}
      {charts.data && charts.data.byDay.some(({ key: [day] }) => day) && (
        <Bars
          title="Over time"
          bars={charts.data.byDay.map(({ key: [day = ''], featureCount }) => {
            const acquired = { from: day, to: `${day}T23:59:59.999Z` };
            const isChosen = filter.acquired?.from === day;
            return {
              name: day || 'no date',
              value: featureCount,
              isChosen,
              choose: () => day && toggle({ acquired }, isChosen),
            };
          })}
        />
      )}
    </section>
  );
}
