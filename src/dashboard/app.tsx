import type { Polygon, Position } from 'geojson';
import type { Map } from 'maplibre-gl';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { type Panel, PANELS } from './address.ts';
import { changeAddress, unknownParameters, useAddress } from './address-store.ts';
import { AskPanel } from './ask/ask-panel.tsx';
import { ChartPanel } from './charts/chart-panel.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { ChangePanel } from './explore/change-panel.tsx';
import { FeaturePanel } from './explore/feature-panel.tsx';
import { FilterBar } from './explore/filter-bar.tsx';
import { Legend } from './explore/legend.tsx';
import { Help } from './help.tsx';
import { boundsOf, useOverlays, usePromptSlots } from './map-content.ts';
import { drawPolygon } from './map/draw.ts';
import type { Marks } from './map/feature-marks.ts';
import type { Hit, InView } from './map/map-view.tsx';

import type { ReviewStatus } from './generated/graphql.ts';
import { useLostConnection } from './connection.ts';
import { useFilter, useReconnection, useRuns, useScenes, useSummary, useViewer } from './queries.ts';
import { ReviewPanel } from './review/review-panel.tsx';
import { useBasemap, useSettings } from './settings.ts';
import { WhoAsks } from './share/sign-in.tsx';
import { type Sheet, SheetHandle } from './sheet-handle.tsx';
import { SharePanel } from './share/share-panel.tsx';
import { useShortcuts } from './shortcuts.ts';
import { FeatureTable } from './table/feature-table.tsx';
import { count, panels, texts } from './texts.en.ts';
import { useDark } from './theme.ts';

/** The map library is half of the page's bytes: the shell is there before it. */
const MapView = lazy(async () => ({ default: (await import('./map/map-view.tsx')).MapView }));
const Swipe = lazy(async () => ({ default: (await import('./map/swipe.tsx')).Swipe }));

/** Features under a click, where there are several. */
interface Choice {
  readonly hits: readonly Hit[];
  readonly at: readonly [x: number, y: number];
}

/** Panels that change what is stored, which the smallest role may not. */
const CHANGING: ReadonlySet<Panel> = new Set(['ask', 'review']);

export function App(): ReactNode {
  const viewer = useViewer();
  const address = useAddress();
  const filter = useFilter();
  const scenes = useScenes();
  const runs = useRuns();
  const summary = useSummary();
  const [dark, setDark] = useDark();
  const [map, setMap] = useState<Map | null>(null);
  const [hover, setHover] = useState<string | null>(null);
  const [choice, setChoice] = useState<Choice | null>(null);
  const [inView, setInView] = useState<InView>({ cells: 0, leftOut: 0 });
  const [reviews, setReviews] = useState<ReadonlyMap<string, ReviewStatus>>(new globalThis.Map());
  const [revision, setRevision] = useState(0);
  const [notice, setNotice] = useState(unknownParameters.length > 0 ? texts.unknownParameters(unknownParameters) : '');
  const [leftOpen, setLeftOpen] = useState(true);
  const [rightOpen, setRightOpen] = useState(true);
  const [sheet, setSheet] = useState<Sheet>('half');
  const basemap = useBasemap();
  const settings = useSettings();
  const lost = useLostConnection();
  useReconnection(lost !== null);
  const help = useRef<HTMLDialogElement>(null);
  const stopDrawing = useRef<(() => void) | null>(null);

  usePromptSlots();
  const overlays = useOverlays(scenes.data ?? [], address.feature, address.change);
  const ended = runs.data?.filter(({ state }) => state === 'SUCCEEDED').length ?? 0;
  useEffect(() => setRevision((before) => before + 1), [ended]);
  // Reviews are in the tiles a while later: asked for once the person pauses.
  useEffect(() => {
    if (reviews.size === 0) return undefined;
    const timer = setTimeout(() => setRevision((before) => before + 1), 2000);
    return () => clearTimeout(timer);
  }, [reviews]);

  const showBounds = (bounds: readonly [number, number, number, number] | null): void => {
    if (!map || !bounds) return;
    const [west, south, east, north] = bounds;
    map.fitBounds(
      [
        [west, south],
        [east < west ? east + 360 : east, north],
      ],
      { padding: 60, maxZoom: 20, animate: !matchMedia('(prefers-reduced-motion: reduce)').matches },
    );
  };
  // The first look goes to what is there; afterwards the map never moves unasked.
  const looked = useRef(address.map !== null);
  useEffect(() => {
    const extent = scenes.data && boundsOf(scenes.data.flatMap(({ footprint }) => footprint ?? []));
    if (looked.current || !map || !extent) return;
    looked.current = true;
    showBounds(extent);
  }, [map, scenes.data]);

  const draw = (onDrawn: (outline: Polygon) => void): void => {
    if (!map) return;
    stopDrawing.current?.();
    void drawPolygon(map, onDrawn).then((stop) => (stopDrawing.current = stop));
  };
  const focus = (shortcut: string): void =>
    document.querySelector<HTMLElement>(`[data-shortcut="${shortcut}"]`)?.focus();
  const open = (panel: Panel): void => changeAddress({ panel });
  useShortcuts({
    '/': () => {
      open('ask');
      setTimeout(() => focus('/'));
    },
    f: () => {
      open('filter');
      setTimeout(() => focus('f'));
    },
    '[': () => setLeftOpen((before) => !before),
    ']': () => setRightOpen((before) => !before),
    '?': () => help.current?.showModal(),
    Escape: () => {
      stopDrawing.current?.();
      setChoice(null);
      changeAddress({ feature: null });
    },
  });

  const state = useMemo(
    () => ({
      filter,
      revision,
      prompts: address.prompts,
      hidden: address.hidden,
      colouring: address.colouring,
      opacity: address.opacity,
      dark,
    }),
    [filter, revision, address.prompts, address.hidden, address.colouring, address.opacity, dark],
  );
  const marks: Marks = useMemo(
    () => ({ selected: address.feature, hover, reviews }),
    [address.feature, hover, reviews],
  );
  const centre: Position | null = address.map && [address.map.longitude, address.map.latitude];
  const later = address.change && runs.data?.find(({ id }) => id === address.change![1]);

  const mayChange = viewer.data?.role !== 'VIEWER';
  const shown: Panel = !mayChange && CHANGING.has(address.panel) ? 'filter' : address.panel;

  return (
    <div
      className={[
        'app',
        `panel-${shown}`,
        `sheet-${sheet}`,
        leftOpen ? '' : 'no-left',
        rightOpen ? '' : 'no-right',
        dark ? 'dark' : 'light',
      ].join(' ')}
    >
      <header>
        <h1>{texts.title}</h1>
        <nav aria-label="Panels">
          {PANELS.filter((panel) => mayChange || !CHANGING.has(panel)).map((panel) => (
            <button key={panel} type="button" aria-pressed={shown === panel} onClick={() => open(panel)}>
              {panels[panel]}
            </button>
          ))}
        </nav>
        <span className="spring" />
        <WhoAsks />
        <a href="./graphql">API</a>
        <button type="button" aria-label={dark ? 'Light theme' : 'Dark theme'} onClick={() => setDark(!dark)}>
          {dark ? '☀' : '☾'}
        </button>
        <button type="button" aria-label="Help" onClick={() => help.current?.showModal()}>
          ?
        </button>
      </header>
      {notice && (
        <p className="notice" role="status">
          {notice}{' '}
          <button type="button" onClick={() => setNotice('')}>
            Close
          </button>
        </p>
      )}
      {lost && (
        <p className="notice" role="status">
          {texts.offline(lost)}
        </p>
      )}
      <aside className="left" aria-label={panels[shown]}>
        <ErrorBoundary message="This panel stopped.">
          {shown === 'ask' && (
            <AskPanel
              onDraw={draw}
              onScene={(id) =>
                showBounds(boundsOf(scenes.data?.flatMap((scene) => (scene.id === id && scene.footprint) || []) ?? []))
              }
              onShow={(run) => {
                changeAddress({ run: run.id, prompts: [...new Set([...address.prompts, run.prompt])] });
                showBounds(
                  boundsOf(scenes.data?.flatMap((scene) => (scene.id === run.scene.id && scene.footprint) || []) ?? []),
                );
              }}
            />
          )}
          {shown === 'filter' && <FilterBar centre={centre} onDraw={draw} />}
          {shown === 'review' && (
            <ReviewPanel
              onReviewed={(id, status) => setReviews((before) => new globalThis.Map(before).set(id, status))}
              onZoom={({ bbox }) => showBounds(bbox as unknown as readonly [number, number, number, number])}
            />
          )}
          {shown === 'share' && <SharePanel />}
          {(shown === 'list' || shown === 'feature') && <FilterBar centre={centre} onDraw={draw} />}
        </ErrorBoundary>
        <Legend dark={dark} />
        <ChangePanel />
      </aside>
      <main>
        <ErrorBoundary message={texts.mapStopped}>
          <Suspense fallback={<p className="facts">{texts.loading('the map')}</p>}>
            {basemap !== undefined && (
              <MapView
                state={state}
                basemap={basemap}
                marks={marks}
                overlays={overlays}
                position={address.map}
                label={`Map: ${count(summary.data?.featureCount ?? 0)} features`}
                onReady={setMap}
                onMove={(position) => changeAddress({ map: position })}
                onHover={setHover}
                onInView={setInView}
                onSelect={(hits, at) => {
                  setChoice(hits.length > 1 ? { hits, at } : null);
                  changeAddress({ feature: hits[0]?.id ?? null });
                }}
              />
            )}
          </Suspense>
          {map && later && address.swipe !== null && (
            <Suspense>
              <Swipe
                map={map}
                sceneId={later.scene.id}
                share={address.swipe}
                onShare={(swipe) => changeAddress({ swipe })}
              />
            </Suspense>
          )}
        </ErrorBoundary>
        {choice && (
          <ul className="choice" style={{ left: choice.at[0], top: choice.at[1] }} aria-label="Features here">
            {choice.hits.map(({ id, prompt }) => (
              <li key={id}>
                <button
                  type="button"
                  onClick={() => {
                    changeAddress({ feature: id });
                    setChoice(null);
                  }}
                >
                  {prompt}
                </button>
              </li>
            ))}
          </ul>
        )}
        <SheetHandle sheet={sheet} onSheet={setSheet} />
        <p className="in-view" role="status">
          {settings.data?.basemapStyle && basemap === null && `${texts.noBasemap} `}
          {inView.cells > 0 && texts.cells} {inView.leftOut > 0 && texts.leftOut(inView.leftOut)}
        </p>
        <button
          type="button"
          className="home"
          aria-label="Show everything"
          onClick={() => showBounds(boundsOf(scenes.data?.flatMap(({ footprint }) => footprint ?? []) ?? []))}
        >
          ⌂
        </button>
      </main>
      <section className="bottom" aria-label="Table">
        <ErrorBoundary message="The table stopped.">
          <FeatureTable hover={hover} onHover={setHover} />
        </ErrorBoundary>
      </section>
      <aside className="right" aria-label="Details">
        <ErrorBoundary message="This panel stopped.">
          <FeaturePanel id={address.feature} />
          <ChartPanel dark={dark} />
        </ErrorBoundary>
      </aside>
      <Help ref={help} />
    </div>
  );
}
