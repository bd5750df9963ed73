import type { ReactNode } from 'react';
import { changeAddress } from '../address-store.ts';
import type { FeatureQuery } from '../generated/graphql.ts';
import { problemText } from '../graphql.ts';
import { useFeature } from '../queries.ts';
import { area, count, date, length, percent, reviews, texts } from '../texts.en.ts';

type Feature = NonNullable<FeatureQuery['feature']>;

interface Properties {
  readonly id: string | null;
  /** @param bbox west, south, east and north */
  readonly onZoom: (bbox: readonly number[]) => void;
}

/** Measures, neighbours and reviews of the selected feature. */
export function FeaturePanel({ id, onZoom }: Properties): ReactNode {
  const { data: feature, error, isLoading } = useFeature(id);
  if (id === null) return <p className="facts">Select a feature on the map or in the list.</p>;
  if (error) return <p role="alert">{problemText(error)}</p>;
  if (isLoading) return <p className="facts">{texts.loading('the feature')}</p>;
  if (!feature) return <p role="alert">There is no such feature; it may have been deleted.</p>;
  return (
    <section aria-label="Feature">
      <h2>{feature.segmentation.prompt}</h2>
      <p className="facts">
        {feature.scene.name}
        {feature.scene.acquiredAt ? `, ${date(feature.scene.acquiredAt)}` : ''}
      </p>
      <p className="actions">
        <button type="button" onClick={() => onZoom(feature.bbox)}>
          {texts.zoomTo}
        </button>
        <button type="button" onClick={() => changeAddress({ feature: null })}>
          {texts.close}
        </button>
      </p>
      {feature.areaM2 === null && <p className="notice">{texts.pixelsOnly}</p>}
      <dl className="measures">
        {measuresOf(feature).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>Neighbours ({count(feature.neighbours.totalCount)})</h3>
      <ul className="neighbours">
        {feature.neighbours.edges.map(({ node, relation, sharedBorderM, gapM }) => (
          <li key={node.id}>
            <button type="button" className="link" onClick={() => changeAddress({ feature: node.id })}>
              {relation === 'TOUCHES'
                ? texts.borders(node.segmentation.prompt, sharedBorderM ?? null)
                : texts.gap(node.segmentation.prompt, gapM ?? null)}
            </button>{' '}
            <span className="facts">{area(node.areaM2)}</span>
          </li>
        ))}
      </ul>
      {feature.reviews.length > 0 && (
        <>
          <h3>Reviews</h3>
          <ul className="facts">
            {feature.reviews.map(({ status, label, note, by, at }) => (
              <li key={at}>{[reviews[status], label, note, by, date(at)].filter(Boolean).join(' · ')}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function measuresOf(feature: Feature): readonly (readonly [name: string, value: string])[] {
  return [
    ['Area', area(feature.areaM2)],
    ['Perimeter', length(feature.perimeterM)],
    ['Certainty, mean', percent(feature.meanProbability)],
    [
      'Certainty, most',
      feature.maxProbability === null || feature.maxProbability === undefined ? '–' : percent(feature.maxProbability),
    ],
    ['Compactness', feature.compactness?.toFixed(2) ?? '–'],
    ['Elongation', feature.elongation?.toFixed(2) ?? '–'],
    [
      'Bearing',
      feature.bearingDeg === null || feature.bearingDeg === undefined ? '–' : `${feature.bearingDeg.toFixed(0)}°`,
    ],
    ['Pixels', count(feature.pixelCount)],
  ];
}
