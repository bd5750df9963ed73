import { AppError } from '../errors.ts';
import { checkComparison } from '../feature/filter-cost.ts';
import { checkGap, type RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureService, Warn } from '../feature/feature.service.ts';
import type { AdjacencyEdge, AdjacencyGraphStore, EdgeFilter } from './adjacency-graph.ts';
import { once } from './once.ts';

/** More features, or more pairs of them, than one graph has. */
export class GraphTooLargeError extends AppError {
  readonly code = 'GRAPH_TOO_LARGE';
  constructor(what: 'features' | 'edges', most: number) {
    super(`The graph has more than ${most} ${what}; narrow the filter${what === 'edges' ? ' or withinM' : ''}.`);
  }
}

/** Most features of one graph. */
const MAX_NODES = 20_000;
/** Most pairs of one graph. */
const MAX_EDGES = 100_000;

/** Features and which of them are neighbours. */
export interface AdjacencyGraph {
  /** Ascending. */
  readonly nodeIds: readonly string[];
  readonly nodeCount: number;
  /** Found when they are asked for. @throws {GraphTooLargeError} {@link ComparisonTooLargeError} */
  readonly edges: () => Promise<AdjacencyEdge[]>;
}

/** Neighbourhood of stored features as a graph. */
export class AdjacencyGraphService {
  constructor(
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
    private readonly store: AdjacencyGraphStore,
    private readonly limits: { readonly nearM: number },
  ) {}

  /** @throws {GraphTooLargeError} {@link InvalidFilterError} and what else a filter is refused for */
  async graph(requested: RequestedFilter, wanted: Omit<EdgeFilter, 'reachM'>, warn?: Warn): Promise<AdjacencyGraph> {
    checkGap('withinM', wanted.withinM);
    const filter = await this.features.checkedFilter(requested, undefined, warn);
    const nodeIds = await this.store.nodes(filter, MAX_NODES + 1);
    if (nodeIds.length > MAX_NODES) throw new GraphTooLargeError('features', MAX_NODES);
    const edges = once(async () => {
      const reaching = { ...wanted, reachM: this.limits.nearM };
      checkComparison(await this.store.comparison(filter, reaching));
      const found = await this.store.edges(filter, reaching, MAX_EDGES + 1);
      if (found.length > MAX_EDGES) throw new GraphTooLargeError('edges', MAX_EDGES);
      return found;
    });
    return { nodeIds, nodeCount: nodeIds.length, edges };
  }
}
