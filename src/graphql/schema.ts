import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { FeatureResolver } from '../feature/feature.resolver.ts';
import { SceneResolver } from '../scene/scene.resolver.ts';
import { MaskResolver, SegmentationResolver } from '../segmentation/segmentation.resolver.ts';
import { NodeResolver } from './node.resolver.ts';

const RESOLVERS = [NodeResolver, SceneResolver, SegmentationResolver, MaskResolver, FeatureResolver] as const;

/**
 * The GraphQL schema.
 * @param resolvers one instance of each resolver class; none is needed to print the schema
 */
export function buildSchema(resolvers: readonly object[]): GraphQLSchema {
  const instances = new Map(resolvers.map((resolver) => [resolver.constructor, resolver]));
  return buildSchemaSync({
    resolvers: [...RESOLVERS],
    container: { get: (resolverClass) => instances.get(resolverClass) },
    validate: false,
  });
}
