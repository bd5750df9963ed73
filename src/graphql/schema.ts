import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import { requireRules } from './allowed-to.ts';
import { dropNullArguments } from './absent-null.ts';
import { AdjacencyEdgeResolver, AdjacencyGraphResolver } from './adjacency-graph.resolver.ts';
import { ChangePairResolver, ChangeResolver } from './change.resolver.ts';
import { StatisticsResolver } from './statistics.resolver.ts';
import { ZoneResolver } from './zone.resolver.ts';
import { FeatureResolver } from './feature.resolver.ts';
import { answerOutlinesAtOnce } from './text-answer/outline-field.ts';
import { SceneResolver } from './scene.resolver.ts';
import { MaskResolver, SegmentationResolver } from './segmentation.resolver.ts';
import { NodeResolver } from './node.resolver.ts';
import { ReviewResolver } from './review.resolver.ts';
import { ExportResolver } from './export.resolver.ts';
import { FeaturesAddedResolver, SegmentationChangedResolver } from './event.resolver.ts';
import { WebhookResolver } from './webhook.resolver.ts';
import { ViewResolver } from './view.resolver.ts';
import { JobResolver } from './job.resolver.ts';
import { ApiKeyResolver } from './api-key.resolver.ts';
import { recordMutations } from './record-mutations.ts';
import { DeletionResolver } from './deletion.resolver.ts';
import { ErrorCodeResolver } from './error-code.resolver.ts';
import { QuotaResolver } from './quota.resolver.ts';
import { UsageResolver } from './usage.resolver.ts';
import { ViewerResolver } from './viewer.resolver.ts';

const RESOLVERS = [
  NodeResolver,
  SceneResolver,
  SegmentationResolver,
  MaskResolver,
  FeatureResolver,
  ReviewResolver,
  ViewResolver,
  ExportResolver,
  ApiKeyResolver,
  ViewerResolver,
  UsageResolver,
  DeletionResolver,
  ErrorCodeResolver,
  QuotaResolver,
  JobResolver,
  FeaturesAddedResolver,
  SegmentationChangedResolver,
  WebhookResolver,
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
    throw new Error(`Topics such as ${topic} are not supported.`);
  },
  subscribe: (topic) => {
    throw new Error(`Topics such as ${topic} are not supported.`);
  },
};

/** The GraphQL schema. Its resolvers take everything from the context of the request. */
export function buildSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [...RESOLVERS],
    pubSub: NO_TOPICS,
    validate: false,
  });
  answerOutlinesAtOnce(schema);
  dropNullArguments(schema);
  describeRoots(schema);
  requireRules(schema);
  recordMutations(schema);
  return schema;
}

/** type-graphql has no place for what the root types mean. */
function describeRoots(schema: GraphQLSchema): void {
  const roots = [
    [schema.getQueryType(), 'Operations that read.'],
    [schema.getMutationType(), 'Operations that change something.'],
    [schema.getSubscriptionType(), 'Events as they happen, over WebSocket (graphql-transport-ws).'],
  ] as const;
  for (const [type, description] of roots) if (type) type.description = description;
}
