import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { changeAddress } from '../address-store.ts';
import { DELETE_VIEW } from '../feature-documents.ts';
import { address as serviceAddress, ask, problemText } from '../graphql.ts';
import { useViewer, useViews } from '../queries.ts';
import { texts } from '../texts.en.ts';
import { copy } from './copy.ts';
import { WebhookForm } from './webhook-form.tsx';

interface Properties {
  readonly onTold: (text: string) => void;
}

/** Saved views, each with its addresses for other programs. */
export function ViewList({ onTold }: Properties): ReactNode {
  const views = useViews();
  const viewer = useViewer();
  const client = useQueryClient();
  const [hooked, setHooked] = useState<string | null>(null);
  if (!views.data || views.data.length === 0) return null;
  const copied = async (text: string): Promise<void> => onTold(await copy(text));
  const remove = async (id: string): Promise<void> => {
    try {
      await ask(DELETE_VIEW, { id });
      await client.invalidateQueries({ queryKey: ['views'] });
    } catch (error) {
      onTold(problemText(error));
    }
  };
  return (
    <>
      <h3>{texts.views}</h3>
      <ul className="views">
        {views.data.map(({ id, slug, name, tilesUrl }) => (
          <li key={id} className="card">
            <button type="button" className="link" onClick={() => changeAddress({ view: slug, filter: {} })}>
              {name}
            </button>
            <p className="actions">
              <button type="button" aria-label={texts.copyTiles(name)} onClick={() => void copied(tilesUrl)}>
                {texts.tiles}
              </button>
              <button
                type="button"
                aria-label={texts.copyOgc(name)}
                onClick={() => void copied(serviceAddress(`/ogc/collections/view-${slug}`))}
              >
                {texts.ogc}
              </button>
              {viewer.data?.role === 'ADMIN' && (
                <button
                  type="button"
                  aria-label={texts.webhookOf(name)}
                  aria-expanded={hooked === slug}
                  onClick={() => setHooked(hooked === slug ? null : slug)}
                >
                  {texts.webhook}
                </button>
              )}
              {viewer.data?.role === 'ADMIN' && (
                <button type="button" aria-label={texts.deleteView(name)} onClick={() => void remove(id)}>
                  {texts.delete}
                </button>
              )}
            </p>
            {hooked === slug && <WebhookForm view={slug} onTold={onTold} />}
          </li>
        ))}
      </ul>
    </>
  );
}
