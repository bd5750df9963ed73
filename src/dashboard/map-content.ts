import { bbox, circle } from '@turf/turf';
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import { useEffect, useMemo } from 'react';
import type { Address } from './address.ts';
import { changeAddress, useAddress } from './address-store.ts';
import type { AdjacencyRelation, FeatureFilter } from './generated/graphql.ts';
import type { Overlays } from './map/map-view.tsx';
import { commonBorder, shortestLine } from './map/neighbour-lines.ts';
import { SLOTS } from './palette.ts';
import { type SceneItem, useChange, useFeature, usePrompts, useScenes } from './queries.ts';

/** Gives questions without a colour the next free slots, most features first; the address keeps who has which. */
export function usePromptSlots(): void {
  const { prompts } = useAddress();
  const groups = usePrompts();
  useEffect(() => {
    const fresh = groups.data?.map(({ prompt }) => prompt).filter((prompt) => !prompts.includes(prompt)) ?? [];
    const room = SLOTS.length - prompts.length;
    if (fresh.length > 0 && room > 0) changeAddress({ prompts: [...prompts, ...fresh.slice(0, room)] });
  }, [groups.data, prompts]);
}

const feature = (geometry: Geometry, properties: Feature['properties'] = {}): Feature => ({
  type: 'Feature',
  geometry,
  properties,
});
const collection = (features: Feature[]): FeatureCollection => ({ type: 'FeatureCollection', features });

interface Shown {
  readonly scenes: readonly SceneItem[];
  readonly selected: string | null;
  readonly change: Address['change'];
  readonly filter: FeatureFilter;
  /** Area that the next questions are limited to. */
  readonly askedArea: Geometry | null;
}

/** Footprints, areas that limit filter and questions, borders and gaps of the selected feature, and what changed. */
export function useOverlays({ scenes, selected, change, filter, askedArea }: Shown): Overlays {
  const { data } = useFeature(selected);
  const changed = useChange(change);
  const footprints = useMemo(
    () => collection(scenes.flatMap(({ footprint, name }) => (footprint ? [feature(footprint, { name })] : []))),
    [scenes],
  );
  const areas = useMemo(
    () => collection([...areasOf(filter), ...(askedArea ? [askedArea] : [])].map((area) => feature(area))),
    [filter, askedArea],
  );
  const outline = useMemo(() => collection(data ? [feature(data.geometry)] : []), [data]);
  const neighbours = useMemo(
    () =>
      collection(
        !data || data.areaM2 === null
          ? []
          : data.neighbours.edges.flatMap(({ node, relation }) => linesBetween(data.geometry, node.geometry, relation)),
      ),
    [data],
  );
  const differences = useMemo(
    () =>
      collection([
        ...(changed.data?.pairs ?? []).map(({ to }) => feature(to.geometry, { kind: 'stayed' })),
        ...(changed.data?.vanished ?? []).map(({ geometry }) => feature(geometry, { kind: 'vanished' })),
        ...(changed.data?.appeared ?? []).map(({ geometry }) => feature(geometry, { kind: 'appeared' })),
      ]),
    [changed.data],
  );
  return useMemo(
    () => ({ footprints, areas, outline, neighbours, change: differences }),
    [footprints, areas, outline, neighbours, differences],
  );
}

/** The border that two features share, or the gap between them. */
function linesBetween(a: Geometry, b: Geometry, relation: AdjacencyRelation): Feature[] {
  if (relation === 'TOUCHES') {
    const border = commonBorder(a, b);
    return border.length === 0 ? [] : [feature({ type: 'MultiLineString', coordinates: border }, { kind: 'border' })];
  }
  const gap = shortestLine(a, b);
  return gap === null ? [] : [feature({ type: 'LineString', coordinates: gap }, { kind: 'gap' })];
}

/** Areas of the filter's own conditions, a position with a distance as a circle. */
function areasOf({ intersects, near }: FeatureFilter): Geometry[] {
  const areas: Geometry[] = [];
  if (intersects) areas.push(intersects as Geometry);
  if (near?.geometry.type === 'Point') {
    areas.push(circle(near.geometry.coordinates, near.withinM, { units: 'meters', steps: 64 }).geometry);
  }
  return areas;
}

/** Box around geometries, `[west, south, east, north]`; null without any position. */
export function boundsOf(geometries: readonly Geometry[]): readonly [number, number, number, number] | null {
  const [west, south, east, north] = bbox({ type: 'GeometryCollection', geometries: [...geometries] });
  return west <= east ? [west, south, east, north] : null;
}

/** Box around every image: null where there is none, undefined until that is known. */
export function useExtent(): ReturnType<typeof boundsOf> | undefined {
  const { data, isError } = useScenes();
  return useMemo(() => {
    if (isError) return null;
    return data && boundsOf(data.flatMap(({ footprint }) => footprint ?? []));
  }, [data, isError]);
}

/** Whom the services of the images on the map want to be named, each once. */
export function useCredits(): readonly string[] {
  const { data } = useScenes();
  return useMemo(() => [...new Set(data?.flatMap(({ attribution }) => attribution ?? []))], [data]);
}
