import type { Polygon, Position } from 'geojson';
import type { Map } from 'maplibre-gl';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { Panel } from './address.ts';
import { changeAddress, unknownParameters, useAddress } from './address-store.ts';
import { AskPanel } from './ask/ask-panel.tsx';
import { ChartPanel } from './charts/chart-panel.tsx';
import { useLostConnection } from './connection.ts';
import { EdgeButtons, useEdges, useNarrow } from './edges.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { ChangePanel } from './explore/change-panel.tsx';
import { FeaturePanel } from './explore/feature-panel.tsx';
import { FilterBar } from './explore/filter-bar.tsx';
import { Legend } from './explore/legend.tsx';
import { pruned } from './filter.ts';
import type { ReviewStatus } from './generated/graphql.ts';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { boundsOf, useExtent, useOverlays, usePromptSlots } from './map-content.ts';
import { MapRegion } from './map-region.tsx';
import { useDrawing } from './map/draw.ts';
import type { Marks } from './map/feature-marks.ts';
import type { MapState } from './map/map-state.ts';
import { paddingPx } from './map/padding.ts';
import { useFilter, useReconnection, useRuns, useScenes, useViewer } from './queries.ts';
import { ReviewPanel } from './review/review-panel.tsx';
import { SharePanel } from './share/share-panel.tsx';
import { type Sheet, SheetHandle } from './sheet-handle.tsx';
import { useShortcuts } from './shortcuts.ts';
import { FeatureTable } from './table/feature-table.tsx';
import { panels, texts } from './texts.en.ts';
import { useDark } from './theme.ts';

type Bounds = readonly [west: number, south: number, east: number, north: number];

/** Panels that change what is stored, which the smallest role may not. */
const CHANGING: ReadonlySet<Panel> = new Set(['ask', 'review']);

export function App(): ReactNode {
  const viewer = useViewer();
  const address = useAddress();
  const filter = useFilter();
  const scenes = useScenes();
  const extent = useExtent();
  const [dark, setDark] = useDark();
  const [map, setMap] = useState<Map | null>(null);
  const [hover, setHover] = useState<string | null>(null);
  const [reviews, setReviews] = useState<ReadonlyMap<string, ReviewStatus>>(new globalThis.Map());
  const [askedArea, setAskedArea] = useState<Polygon | null>(null);
  const [comparing, setComparing] = useState(false);
  const [notice, setNotice] = useState(unknownParameters.length > 0 ? texts.unknownParameters(unknownParameters) : '');
  const [sheet, setSheet] = useState<Sheet>('half');
  const edges = useEdges(address.feature);
  const isNarrow = useNarrow();
  const drawing = useDrawing(map);
  const lost = useLostConnection();
  useReconnection(lost !== null);
  const help = useRef<HTMLDialogElement>(null);
  usePromptSlots();
  const { feature: selected, change } = address;
  const overlays = useOverlays({ scenes: scenes.data ?? [], selected, change, filter, askedArea });
  const revision = useRevision(reviews);

  const showBounds = (bounds: Bounds | null): void => {
    if (!map || !bounds) return;
    const [west, south, east, north] = bounds;
    map.fitBounds(
      [
        [west, south],
        [east < west ? east + 360 : east, north],
      ],
      { padding: paddingPx(), maxZoom: 20, animate: !matchMedia('(prefers-reduced-motion: reduce)').matches },
    );
  };
  const showScene = (id: string): void =>
    showBounds(boundsOf(scenes.data?.flatMap((scene) => (scene.id === id && scene.footprint) || []) ?? []));
  const filterByArea = (): void =>
    drawing.start((intersects) => changeAddress({ filter: pruned({ ...filter, intersects }), view: null }));
  const open = (panel: Panel): void => changeAddress({ panel });
  const openAt = (panel: Panel, shortcut: string): void => {
    open(panel);
    setTimeout(() => document.querySelector<HTMLElement>(`[data-shortcut="${shortcut}"]`)?.focus());
  };
  useShortcuts({
    '/': () => openAt('ask', '/'),
    f: () => openAt('filter', 'f'),
    '[': edges.toggleLeft,
    ']': edges.toggleRight,
    '?': () => help.current?.showModal(),
    Escape: () => {
      if (drawing.isOn) drawing.stop();
      else changeAddress({ feature: null });
    },
  });

  const isSwiping = address.swipe !== null && change !== null;
  const isComparing = change !== null;
  const { prompts, hidden, colouring, opacity } = address;
  const state: MapState = useMemo(
    () => ({ filter, revision, prompts, hidden, colouring, opacity, dark, isComparing, isSwiping }),
    [filter, revision, prompts, hidden, colouring, opacity, dark, isComparing, isSwiping],
  );
  const marks: Marks = useMemo(() => ({ selected, hover, reviews }), [selected, hover, reviews]);
  const centre: Position | null = address.map && [address.map.longitude, address.map.latitude];
  const mayChange = viewer.data?.role !== 'VIEWER';
  const isAllowed = (panel: Panel): boolean => mayChange || !CHANGING.has(panel);
  const shown: Panel = isAllowed(address.panel) ? address.panel : 'filter';
  const look = [`panel-${shown}`, `sheet-${sheet}`, edges.className, dark ? 'dark' : 'light'];

  return (
    <div className={`app ${look.join(' ')}`}>
      <Header
        shown={shown}
        isAllowed={isAllowed}
        dark={dark}
        onOpen={open}
        onDark={setDark}
        onHelp={() => help.current?.showModal()}
      />
      {notice && (
        <p className="notice" role="status">
          {notice}{' '}
          <button type="button" onClick={() => setNotice('')}>
            {texts.close}
          </button>
        </p>
      )}
      {lost && (
        <p className="notice" role="status">
          {texts.offline(lost)}
        </p>
      )}
      <aside className="left" aria-label={panels[shown]}>
        <div className="panel" tabIndex={-1}>
          <ErrorBoundary message={texts.panelStopped}>
            {shown === 'ask' && (
              <AskPanel
                area={askedArea}
                onArea={setAskedArea}
                onDraw={drawing.start}
                onScene={showScene}
                onShow={(run) => {
                  changeAddress({ run: run.id, prompts: [...new Set([...prompts, run.prompt])] });
                  showScene(run.scene.id);
                }}
              />
            )}
            {shown === 'review' && (
              <ReviewPanel
                onReviewed={(id, status) => setReviews((before) => new globalThis.Map(before).set(id, status))}
                onZoom={({ bbox }) => showBounds(bbox as unknown as Bounds)}
              />
            )}
            {shown === 'share' && <SharePanel />}
            {(shown === 'filter' || shown === 'list' || shown === 'feature') && (
              <FilterBar centre={centre} onDraw={drawing.start} />
            )}
          </ErrorBoundary>
        </div>
        <div className="map-keys">
          {!isNarrow && <Legend dark={dark} isOpen />}
          <ChangePanel dark={dark} isOpen={comparing || change !== null} onOpen={setComparing} />
        </div>
      </aside>
      <main>
        <MapRegion
          map={map}
          state={state}
          marks={marks}
          overlays={overlays}
          isDrawing={drawing.isOn}
          isComparing={comparing || change !== null}
          onReady={setMap}
          onHover={setHover}
          onHome={() => showBounds(extent ?? null)}
          onArea={() => (drawing.isOn ? drawing.stop() : filterByArea())}
          onCompare={() => {
            if (comparing || change !== null) changeAddress({ change: null, swipe: null });
            setComparing(!comparing && change === null);
          }}
          onStopDrawing={drawing.stop}
        />
        {isNarrow && <Legend dark={dark} isOpen={false} />}
        <EdgeButtons edges={edges} />
        <SheetHandle sheet={sheet} onSheet={setSheet} />
      </main>
      <section className="bottom" aria-label="Table">
        <ErrorBoundary message={texts.tableStopped}>
          <FeatureTable hover={hover} onHover={setHover} />
        </ErrorBoundary>
      </section>
      <aside className="right" aria-label="Details">
        <ErrorBoundary message={texts.panelStopped}>
          <FeaturePanel id={selected} onZoom={(bbox) => showBounds(bbox as unknown as Bounds)} />
          <ChartPanel dark={dark} />
        </ErrorBoundary>
      </aside>
      <Help ref={help} />
    </div>
  );
}

/** Rises when runs end and, once the person pauses, after reviews: tiles are asked for again then. */
function useRevision(reviews: ReadonlyMap<string, ReviewStatus>): number {
  const [revision, setRevision] = useState(0);
  const runs = useRuns();
  const ended = runs.data?.filter(({ state }) => state === 'SUCCEEDED').length ?? null;
  const known = useRef<number | null>(null);
  useEffect(() => {
    if (ended !== null && known.current !== null && ended !== known.current) setRevision((before) => before + 1);
    known.current = ended;
  }, [ended]);
  useEffect(() => {
    if (reviews.size === 0) return undefined;
    const timer = setTimeout(() => setRevision((before) => before + 1), 2000);
    return () => clearTimeout(timer);
  }, [reviews]);
  return revision;
}
