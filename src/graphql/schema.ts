import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import { AdjacencyEdgeResolver, AdjacencyGraphResolver } from './adjacency-graph.resolver.ts';
import { ChangePairResolver, ChangeResolver } from './change.resolver.ts';
import { StatisticsResolver } from './statistics.resolver.ts';
import { ZoneResolver } from './zone.resolver.ts';
import { FeatureResolver } from './feature.resolver.ts';
import { answerOutlinesAtOnce } from './text-answer/outline-field.ts';
import { SceneResolver } from './scene.resolver.ts';
import { MaskResolver, SegmentationResolver } from './segmentation.resolver.ts';
import { NodeResolver } from './node.resolver.ts';

const RESOLVERS = [
  NodeResolver,
  SceneResolver,
  SegmentationResolver,
  MaskResolver,
  FeatureResolver,
  StatisticsResolver,
  ChangeResolver,
  ChangePairResolver,
  ZoneResolver,
  AdjacencyGraphResolver,
  AdjacencyEdgeResolver,
] as const;

/** The library asks for one where there is a subscription; ours give their events themselves. */
const NO_TOPICS: PubSub = {
  publish: (topic) => {
    throw new Error(`nobody subscribes to topics, as ${topic}`);
  },
  subscribe: (topic) => {
    throw new Error(`there are no topics, as ${topic}`);
  },
};

/**
 * The GraphQL schema.
 * @param resolvers one instance of each resolver class; none is needed to print the schema
 */
export function buildSchema(resolvers: readonly object[]): GraphQLSchema {
  const instances = new Map(resolvers.map((resolver) => [resolver.constructor, resolver]));
  const schema = buildSchemaSync({
    resolvers: [...RESOLVERS],
    container: { get: (resolverClass) => instances.get(resolverClass) },
    pubSub: NO_TOPICS,
    validate: false,
  });
  answerOutlinesAtOnce(schema);
  return schema;
}
