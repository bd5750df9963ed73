import { Arg, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { AdjacencyRelation, Feature } from '../feature/feature.ts';
import { AdjacencyRelationEnum, FeatureFilterInput, FeatureType } from './feature.type.ts';
import { withoutNulls } from './absent-null.ts';
import type { RequestContext } from './context.ts';
import { AGGREGATE_COST, OVERLAY_COST, unpagedCost, withWork } from './analysis-cost.ts';
import type { AdjacencyEdge } from '../analysis/adjacency-graph.ts';
import type { AdjacencyGraph } from '../analysis/adjacency-graph.service.ts';
import { AdjacencyEdgeType, AdjacencyGraphType } from './adjacency-graph.type.ts';

@Resolver(() => AdjacencyGraphType)
export class AdjacencyGraphResolver {
  @AllowedTo('viewer')
  @Query(() => AdjacencyGraphType, {
    complexity: withWork(AGGREGATE_COST),
    description: 'The matching features as a graph of neighbours; both ends of each edge match the filter.',
  })
  adjacency(
    @Arg('filter', () => FeatureFilterInput, {
      nullable: true,
      description: 'Conditions on the features; all features by default.',
    })
    filter: FeatureFilterInput | undefined,
    @Arg('relation', () => AdjacencyRelationEnum, { nullable: true, description: 'Only edges of this relation.' })
    relation: AdjacencyRelation | undefined,
    @Arg('withinM', () => Float, {
      nullable: true,
      description:
        'Largest geodesic gap, metres, measured for every pair. Default: stored neighbours and those in other scenes.',
    })
    withinM: number | undefined,
    @Ctx() { services, warn }: RequestContext,
  ): Promise<AdjacencyGraph> {
    return services.graphs.graph(withoutNulls(filter ?? {}), withoutNulls({ relation, withinM }), warn);
  }

  @FieldResolver(() => Int, { complexity: OVERLAY_COST, description: 'Number of edges.' })
  async edgeCount(@Root() graph: AdjacencyGraph): Promise<number> {
    return (await graph.edges()).length;
  }

  @FieldResolver(() => [FeatureType], {
    complexity: unpagedCost,
    description: 'The features, ordered by identifier.',
  })
  nodes(@Root() { nodeIds }: AdjacencyGraph, @Ctx() { features }: RequestContext): Promise<Feature[]> {
    return Promise.all(nodeIds.map((id) => features.load(id)));
  }

  @FieldResolver(() => [AdjacencyEdgeType], {
    name: 'edges',
    complexity: unpagedCost,
    description: 'Pairs of neighbours.',
  })
  pairs(@Root() graph: AdjacencyGraph): Promise<AdjacencyEdge[]> {
    return graph.edges();
  }
}

@Resolver(() => AdjacencyEdgeType)
export class AdjacencyEdgeResolver {
  @FieldResolver(() => FeatureType, { description: 'The feature of `fromId`.' })
  from(@Root() { fromId }: AdjacencyEdge, @Ctx() { features }: RequestContext): Promise<Feature> {
    return features.load(fromId);
  }

  @FieldResolver(() => FeatureType, { description: 'The feature of `toId`.' })
  to(@Root() { toId }: AdjacencyEdge, @Ctx() { features }: RequestContext): Promise<Feature> {
    return features.load(toId);
  }
}
