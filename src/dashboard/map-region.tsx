import type { Map } from 'maplibre-gl';
import { lazy, type ReactNode, Suspense, useCallback, useState } from 'react';
import { changeAddress, useAddress } from './address-store.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { useCredits, useExtent } from './map-content.ts';
import type { Marks } from './map/feature-marks.ts';
import type { MapState } from './map/map-state.ts';
import type { Hit, InView, Overlays } from './map/map-view.tsx';
import { useRuns, useSummary } from './queries.ts';
import { useBasemap, useSettings } from './settings.ts';
import { count, texts } from './texts.en.ts';

/** The map library is half of the page's bytes: the shell is there before it. */
const MapView = lazy(async () => ({ default: (await import('./map/map-view.tsx')).MapView }));
const Swipe = lazy(async () => ({ default: (await import('./map/swipe.tsx')).Swipe }));

/** Features under a click, where there are several. */
interface Choice {
  readonly hits: readonly Hit[];
  readonly at: readonly [x: number, y: number];
}

interface Properties {
  readonly map: Map | null;
  readonly state: MapState;
  readonly marks: Marks;
  readonly overlays: Overlays;
  readonly isDrawing: boolean;
  readonly isComparing: boolean;
  readonly onReady: (map: Map) => void;
  readonly onHover: (id: string | null) => void;
  readonly onHome: () => void;
  readonly onArea: () => void;
  readonly onCompare: () => void;
  readonly onStopDrawing: () => void;
}

/** The map with its buttons, what it says of what it shows, and the list of features under a click. */
export function MapRegion(properties: Properties): ReactNode {
  const { map, isDrawing, onHome, onArea, onCompare, onStopDrawing } = properties;
  const [choice, setChoice] = useState<Choice | null>(null);
  const [inView, setInView] = useState<InView>({ cells: 0, leftOut: 0 });
  const basemap = useBasemap();
  const settings = useSettings();
  const credits = useCredits();
  const select = useCallback(
    (hits: readonly Hit[], at: readonly [number, number]): void => {
      if (isDrawing) return;
      setChoice(hits.length > 1 ? { hits, at } : null);
      changeAddress({ feature: hits[0]?.id ?? null });
    },
    [isDrawing],
  );
  return (
    <>
      <ErrorBoundary message={texts.mapStopped}>
        <MapBody {...properties} onSelect={select} onInView={setInView} />
      </ErrorBoundary>
      {choice && <ChoiceList choice={choice} onEnd={() => setChoice(null)} />}
      <p className="in-view" role="status">
        {[
          settings.data?.basemapStyle && basemap === null ? texts.noBasemap : '',
          inView.cells > 0 ? texts.cells : '',
          inView.leftOut > 0 ? texts.leftOut(inView.leftOut) : '',
          credits.length > 0 ? texts.credits(credits) : '',
        ]
          .filter(Boolean)
          .join(' ')}
      </p>
      {isDrawing && (
        <p className="drawing" role="status">
          {texts.drawing}{' '}
          <button type="button" onClick={onStopDrawing}>
            {texts.cancel}
          </button>
        </p>
      )}
      <div className="map-buttons" role="group" aria-label="Map">
        <button type="button" aria-label={texts.showAll} title={texts.showAll} onClick={onHome}>
          <span aria-hidden="true">⌂</span>
        </button>
        <button type="button" disabled={!map} aria-pressed={isDrawing} title={texts.filterByArea} onClick={onArea}>
          <span aria-hidden="true">▱</span> {texts.area}
        </button>
        <button type="button" aria-pressed={properties.isComparing} onClick={onCompare}>
          <span aria-hidden="true">⇆</span> {texts.compare}
        </button>
      </div>
    </>
  );
}

interface BodyProperties extends Properties {
  readonly onSelect: (hits: readonly Hit[], at: readonly [x: number, y: number]) => void;
  readonly onInView: (inView: InView) => void;
}

function MapBody({ map, state, marks, overlays, onReady, onHover, onSelect, onInView }: BodyProperties): ReactNode {
  const { map: position, change, swipe } = useAddress();
  const basemap = useBasemap();
  const summary = useSummary();
  const runs = useRuns();
  const extent = useExtent();
  const [earlier, later] = [0, 1].map((side) => change && runs.data?.find(({ id }) => id === change[side]));
  return (
    <Suspense fallback={<p className="facts loading">{texts.loading('the map')}</p>}>
      {basemap !== undefined && (position || extent !== undefined) && (
        <MapView
          state={state}
          basemap={basemap}
          marks={marks}
          overlays={overlays}
          position={position}
          extent={extent ?? null}
          label={texts.mapLabel(count(summary.data?.featureCount ?? 0))}
          onReady={onReady}
          onMove={(moved) => changeAddress({ map: moved })}
          onHover={onHover}
          onInView={onInView}
          onSelect={onSelect}
        />
      )}
      {map && earlier && later && swipe !== null && (
        <Swipe
          map={map}
          earlier={{ sceneId: earlier.scene.id, name: earlier.scene.name }}
          later={{ sceneId: later.scene.id, name: later.scene.name }}
          share={swipe}
          onShare={(share) => changeAddress({ swipe: share })}
        />
      )}
    </Suspense>
  );
}

/** Several features under a click: smallest first, one to choose. */
function ChoiceList({ choice, onEnd }: { readonly choice: Choice; readonly onEnd: () => void }): ReactNode {
  return (
    <ul className="choice" style={{ left: choice.at[0], top: choice.at[1] }} aria-label="Features here">
      {choice.hits.map(({ id, prompt, areaM2 }) => (
        <li key={id}>
          <button
            type="button"
            onClick={() => {
              changeAddress({ feature: id });
              onEnd();
            }}
          >
            {texts.choice(prompt, areaM2)}
          </button>
        </li>
      ))}
    </ul>
  );
}
