import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { QuotaName, QuotasInput } from '../generated/graphql.ts';
import { ask, problemText } from '../graphql.ts';
import { texts } from '../texts.en.ts';
import { QUOTAS, SET_QUOTAS } from './admin-documents.ts';
import { adminTexts, amount, quotaNames } from './admin-texts.en.ts';

const FIELDS: Readonly<Record<QuotaName, keyof QuotasInput>> = {
  REQUESTS_PER_MINUTE: 'requestsPerMinute',
  COST_PER_MINUTE: 'costPerMinute',
  WAITING_WINDOWS: 'waitingWindows',
  BYTES_STORED: 'bytesStored',
  FEATURES: 'features',
};

const shown = (value: number | null): string => (value === null ? adminTexts.unlimited : amount(value));

/** What the workspace may use up and have, with what is used of it. */
export function QuotasPage(): ReactNode {
  const client = useQueryClient();
  const quotas = useQuery({
    queryKey: ['admin', 'quotas'],
    queryFn: async ({ signal }) => (await ask(QUOTAS, {}, signal)).quotas ?? [],
  });
  const [told, setTold] = useState('');
  const save = async (form: FormData): Promise<void> => {
    const input = Object.fromEntries(
      Object.values(FIELDS).map((field) => {
        const text = form.get(field) as string;
        return [field, text === '' ? null : Number(text)];
      }),
    );
    try {
      await ask(SET_QUOTAS, { input });
      await client.invalidateQueries({ queryKey: ['admin', 'quotas'] });
      setTold(adminTexts.saved);
    } catch (error) {
      setTold(problemText(error));
    }
  };
  return (
    <form key={JSON.stringify(quotas.data)} className="quotas" action={(form) => void save(form)}>
      {quotas.error && <p role="alert">{problemText(quotas.error)}</p>}
      {quotas.isLoading && <p>{texts.loading('quotas')}</p>}
      {quotas.data?.map(({ name, maximum, byDefault, isSet, used }) => (
        <label key={name}>
          <span>{quotaNames[name]}</span>
          <input
            name={FIELDS[name]}
            type="number"
            min={0}
            step={1}
            inputMode="numeric"
            defaultValue={isSet && maximum !== null ? maximum : ''}
            placeholder={adminTexts.default}
          />
          {maximum !== null && <meter min={0} max={Math.max(1, maximum)} value={used} />}
          <small className="quiet">
            {adminTexts.used(amount(used))} · {adminTexts.byDefault(shown(byDefault))}
          </small>
        </label>
      ))}
      <p className="quiet">{adminTexts.emptyIsDefault}</p>
      <p>
        <button type="submit" className="primary">
          {adminTexts.saveQuotas}
        </button>{' '}
        <span role="status">{told}</span>
      </p>
    </form>
  );
}
