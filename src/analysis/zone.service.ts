import { AppError } from '../errors.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureService, Warn } from '../feature/feature.service.ts';
import { checkZones, InvalidZonesError, type RequestedZones } from './check-zones.ts';
import { once } from './once.ts';
import type { NearestToZone, ZoneCoverage, ZoneDescription, Zones, ZoneStore } from './zones.ts';

/** A stored feature or scene that is to be a zone does not exist. */
export class ZoneNotFoundError extends AppError {
  readonly code = 'ZONE_NOT_FOUND';
  constructor(kind: 'FEATURES' | 'SCENES', id: string) {
    super(`${kind === 'FEATURES' ? 'Feature' : 'Scene'} ${id} does not exist and cannot be a zone.`);
  }
}

/** Stored outlines are too detailed to be measured in within one request. */
export class ZonesTooDetailedError extends AppError {
  readonly code = 'ZONES_TOO_LARGE';
  constructor(vertices: number) {
    super(`The zones have ${vertices} vertices in total; the limit is ${MAX_STORED_VERTICES}. Request fewer zones.`, {
      details: { argument: 'zones', value: vertices, limit: MAX_STORED_VERTICES },
    });
  }
}

/** Most vertices of stored outlines that are zones of one request; outlines that a client sends have a lower limit. */
const MAX_STORED_VERTICES = 500_000;

/** Measures of stored features in zones. */
export class ZoneService {
  constructor(
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
    private readonly store: ZoneStore,
    private readonly limits: { readonly maxVertices: number },
  ) {}

  /**
   * The zones in order. Areas come at once; coverage and nearest features take one statement each for all zones, when the
   * first of them is asked for it. A zone that is not valid is repaired, with a warning.
   * @throws {InvalidZonesError} {@link ZoneNotFoundError} {@link ZonesTooDetailedError}, what a geometry and what a filter
   * is refused for
   */
  async measure(requested: RequestedZones, requestedFilter: RequestedFilter, warn?: Warn): Promise<MeasuredZone[]> {
    const { zones, ids } = checkZones(requested, this.limits.maxVertices);
    const filter = await this.features.checkedFilter(requestedFilter, undefined, warn);
    const descriptions = await this.store.describe(zones);
    checkDescriptions(zones, descriptions);
    const measures: Measures = {
      coverage: once(() => this.store.coverage(zones, filter)),
      nearest: once(() => this.store.nearest(zones, filter)),
    };
    return descriptions.map(({ index, areaM2, invalid }) => {
      if (invalid !== null) warn?.(`Zone ${index} was invalid (${invalid}) and was repaired.`);
      return new MeasuredZone(index, ids[index] ?? null, areaM2 ?? 0, measures);
    });
  }
}

function checkDescriptions(zones: Zones, descriptions: readonly ZoneDescription[]): void {
  if (zones.kind === 'OUTLINES') return;
  const found = new Set(descriptions.map(({ index }) => index));
  const missing = zones.ids.find((_, index) => !found.has(index));
  if (missing !== undefined) throw new ZoneNotFoundError(zones.kind, missing);
  const unplaced = descriptions.find(({ areaM2 }) => areaM2 === null);
  if (unplaced) {
    throw new InvalidZonesError(
      `Zone ${zones.ids[unplaced.index]} has no georeference; a zone must have a position on the ground.`,
    );
  }
  const vertices = descriptions.reduce((sum, one) => sum + one.vertices, 0);
  if (vertices > MAX_STORED_VERTICES) throw new ZonesTooDetailedError(vertices);
}

/** Measures of all zones, each computed when it is first asked for. */
interface Measures {
  readonly coverage: () => Promise<ReadonlyMap<number, ZoneCoverage>>;
  readonly nearest: () => Promise<ReadonlyMap<number, NearestToZone>>;
}

/** One zone: its area, and measures on demand. */
export class MeasuredZone {
  constructor(
    readonly index: number,
    readonly id: string | null,
    /** Geodesic. */
    readonly areaM2: number,
    private readonly measures: Measures,
  ) {}

  async coverage(): Promise<ZoneCoverage> {
    return (await this.measures.coverage()).get(this.index) ?? { featureCount: 0, coveredAreaM2: 0 };
  }

  /** 0 to 1. */
  async coveredShare(): Promise<number> {
    const { coveredAreaM2 } = await this.coverage();
    return this.areaM2 > 0 ? Math.min(1, coveredAreaM2 / this.areaM2) : 0;
  }

  /** Null when no feature matches. */
  async nearest(): Promise<NearestToZone | null> {
    return (await this.measures.nearest()).get(this.index) ?? null;
  }
}
