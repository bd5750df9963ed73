import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { UsageGrouping } from '../generated/graphql.ts';
import { ask, problemText } from '../graphql.ts';
import { bytes, date, texts } from '../texts.en.ts';
import { USAGE } from './admin-documents.ts';
import { adminTexts, amount } from './admin-texts.en.ts';

const DAY_MS = 86_400_000;
const SPANS = [7, 30, 365] as const;
const HEADINGS = ['Requests', 'Cost', 'Windows', 'Model, s', 'Ground, km²', 'Stored', 'Sent'] as const;

/** What the workspace used, by day or by model. */
export function UsagePage(): ReactNode {
  const [days, setDays] = useState<number>(30);
  const [grouping, setGrouping] = useState<UsageGrouping>('DAY');
  const usage = useQuery({
    queryKey: ['admin', 'usage', days, grouping],
    queryFn: async ({ signal }) => {
      const to = new Date();
      const from = new Date(to.getTime() - (days - 1) * DAY_MS);
      const asked = { from: from.toISOString(), to: to.toISOString(), groupBy: [grouping] };
      return (await ask(USAGE, asked, signal)).usage ?? [];
    },
  });
  const rows = grouping === 'DAY' ? usage.data?.toReversed() : usage.data;
  return (
    <>
      <div className="admin-form">
        <label>
          <span className="hidden-label">Time</span>
          <select value={days} onChange={({ target }) => setDays(Number(target.value))}>
            {SPANS.map((span) => (
              <option key={span} value={span}>
                {adminTexts.days(span)}
              </option>
            ))}
          </select>
        </label>
        {(['DAY', 'MODEL'] as const).map((one) => (
          <button key={one} type="button" aria-pressed={grouping === one} onClick={() => setGrouping(one)}>
            {one === 'DAY' ? adminTexts.byDay : adminTexts.byModel}
          </button>
        ))}
      </div>
      {usage.error && <p role="alert">{problemText(usage.error)}</p>}
      {usage.isLoading && <p>{texts.loading('usage')}</p>}
      {rows?.length === 0 && <p>{adminTexts.noUsage}</p>}
      {rows && rows.length > 0 && (
        <div className="admin-table" tabIndex={0} role="region" aria-label={adminTexts.tabs.usage}>
          <table>
            <thead>
              <tr>
                <th scope="col">{grouping === 'DAY' ? 'Day' : 'Model'}</th>
                {HEADINGS.map((heading) => (
                  <th key={heading} scope="col">
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.from} ${row.model}`}>
                  <th scope="row">{grouping === 'DAY' ? date(row.from) : (row.model ?? adminTexts.noModel)}</th>
                  <td>{amount(row.requests)}</td>
                  <td>{amount(row.cost)}</td>
                  <td>{amount(row.windows)}</td>
                  <td>{amount(row.modelS)}</td>
                  <td>{amount(row.areaKm2)}</td>
                  <td>{bytes(row.bytesStored)}</td>
                  <td>{bytes(row.bytesSent)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
