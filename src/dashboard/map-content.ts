import { bbox } from '@turf/turf';
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson';
import { useEffect, useMemo } from 'react';
import type { Address } from './address.ts';
import { changeAddress, useAddress } from './address-store.ts';
import type { Overlays } from './map/map-view.tsx';
import { SLOTS } from './palette.ts';
import { type SceneItem, useChange, useFeature, usePrompts } from './queries.ts';

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

/** Footprints, lines to the neighbours of the selected feature, and what changed. */
export function useOverlays(
  scenes: readonly SceneItem[],
  selected: string | null,
  change: Address['change'],
): Overlays {
  const { data } = useFeature(selected);
  const changed = useChange(change);
  return useMemo(
    () => ({
      footprints: collection(
        scenes.flatMap(({ footprint, name }) => (footprint ? [feature(footprint, { name })] : [])),
      ),
      neighbours: collection(
        data?.areaM2 === null || data?.areaM2 === undefined
          ? []
          : data.neighbours.edges.map(({ node }) =>
              feature({ type: 'LineString', coordinates: [positionOf(data.centroid), positionOf(node.centroid)] }),
            ),
      ),
      change: collection([
        ...(changed.data?.appeared ?? []).map(({ geometry }) => feature(geometry, { kind: 'appeared' })),
        ...(changed.data?.vanished ?? []).map(({ geometry }) => feature(geometry, { kind: 'vanished' })),
        ...(changed.data?.pairs ?? []).map(({ to }) => feature(to.geometry, { kind: 'stayed' })),
      ]),
    }),
    [scenes, data, changed.data],
  );
}

const positionOf = (geometry: Geometry): Position => (geometry.type === 'Point' ? geometry.coordinates : [0, 0]);

/** Box around geometries, `[west, south, east, north]`; null without any position. */
export function boundsOf(geometries: readonly Geometry[]): readonly [number, number, number, number] | null {
  const [west, south, east, north] = bbox({ type: 'GeometryCollection', geometries: [...geometries] });
  return west <= east ? [west, south, east, north] : null;
}
