import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { Feature } from '../feature/feature.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import type { Scene } from '../scene/scene.ts';
import type { SceneService } from '../scene/scene.service.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentationService } from '../segmentation/segmentation.service.ts';
import { NodeType } from './connection.ts';
import type { RequestContext } from './context.ts';
import { ModelType } from './model.type.ts';

/** Queries that belong to no one kind of object. */
@Resolver()
export class NodeResolver {
  constructor(
    private readonly scenes: SceneService,
    private readonly segmentations: SegmentationService,
    private readonly features: FeatureService,
  ) {}

  @Query(() => NodeType, { nullable: true, description: 'Scene, segmentation or feature by its identifier.' })
  async node(@Arg('id', () => ID) id: string): Promise<Scene | Segmentation | Feature | null> {
    return (await this.scenes.byId(id)) ?? (await this.segmentations.byId(id)) ?? (await this.features.byId(id));
  }

  @Query(() => [ModelType])
  models(@Ctx() { models }: RequestContext): ModelType[] {
    return models();
  }
}
