import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { isTooLong, useAddress, changeAddress } from '../address-store.ts';
import { CREATE_VIEW, FEATURES } from '../feature-documents.ts';
import { filterKey } from '../filter.ts';
import { address as serviceAddress, ask, problemText } from '../graphql.ts';
import { featureTilesUrl } from '../map/map-style.ts';
import { useFilter, useViewer } from '../queries.ts';
import { useSettings } from '../settings.ts';
import { texts } from '../texts.en.ts';
import { copy } from './copy.ts';
import { credential } from './credential.ts';
import { download } from './download.ts';
import { ViewList } from './view-list.tsx';

const FORMATS = [
  ['geojson', 'GeoJSON'],
  ['csv', 'CSV'],
  ['fgb', 'FlatGeobuf'],
  ['parquet', 'GeoParquet'],
  ['ndjson', 'NDJSON'],
  ['parquet.zip', 'Partitioned GeoParquet'],
  ['coco', 'COCO'],
] as const;

/** Everything that follows the filter elsewhere: link, view, tiles, files, and the query itself. */
export function SharePanel(): ReactNode {
  const address = useAddress();
  const filter = useFilter();
  const role = useViewer().data?.role;
  const client = useQueryClient();
  const [told, setTold] = useState('');
  const settings = useSettings();
  const viewsOnly = settings.data?.persistedOnly === true && address.view === null;
  const key = filterKey(filter);
  const chosen = key === '{}' ? '' : `?filter=${encodeURIComponent(key)}`;
  const query = address.view === null ? chosen : `?view=${address.view}`;
  const copied = async (text: string): Promise<void> => setTold(await copy(text));
  const save = async (name: string): Promise<void> => {
    try {
      const { createView } = await ask(CREATE_VIEW, {
        input: {
          name,
          filter,
          orderBy: address.order,
          style: { prompts: address.prompts, colouring: address.colouring },
        },
      });
      await client.invalidateQueries({ queryKey: ['views'] });
      if (createView) changeAddress({ view: createView.slug, filter: {} });
      setTold(texts.saved);
    } catch (error) {
      setTold(problemText(error));
    }
  };
  const request = JSON.stringify({ filter, orderBy: address.order }, null, 2);
  return (
    <section aria-label="Share">
      <p role="status" className="told">
        {isTooLong(address) ? texts.tooLong : told}
      </p>
      <p className="actions">
        <button type="button" disabled={isTooLong(address)} onClick={() => void copied(location.href)}>
          Copy link
        </button>
        <button
          type="button"
          onClick={() => void copied(featureTilesUrl({ filter, revision: 0 }).replace(/r=0&?/, ''))}
        >
          Copy tile address
        </button>
        <button type="button" onClick={() => void copied(serviceAddress('/ogc'))}>
          {texts.copyOgcHome}
        </button>
      </p>
      {role !== 'VIEWER' && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const name = new FormData(event.currentTarget).get('name');
            if (typeof name === 'string' && name !== '') void save(name);
          }}
        >
          <label>
            Save as a view
            <input name="name" required maxLength={100} />
          </label>
          <button type="submit" className="primary">
            Save view
          </button>
        </form>
      )}
      <ViewList onTold={setTold} />
      <h3>Download</h3>
      {viewsOnly && <p className="facts">{texts.viewsOnly}</p>}
      <p className="actions">
        {(viewsOnly ? [] : FORMATS).map(([extension, name]) => (
          <a
            key={extension}
            className="button"
            download
            href={`${serviceAddress(`/features.${extension}`)}${query}`}
            onClick={(event) => {
              if (credential.get() === null) return;
              event.preventDefault();
              void download(
                event.currentTarget.href,
                `features.${extension === 'coco' ? 'coco.json' : extension}`,
              ).catch((error: Error) => setTold(texts.failed(error.message)));
            }}
          >
            {name}
          </a>
        ))}
      </p>
      <details>
        <summary>Show the query</summary>
        <pre tabIndex={0}>{FEATURES.toString().trim()}</pre>
        <pre tabIndex={0}>{request}</pre>
        <button
          type="button"
          onClick={() => void copied(JSON.stringify({ query: FEATURES.toString(), variables: JSON.parse(request) }))}
        >
          Copy as a request
        </button>
      </details>
    </section>
  );
}
