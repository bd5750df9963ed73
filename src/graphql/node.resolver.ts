import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { Feature } from '../feature/feature.ts';
import type { Job } from '../job/job.ts';
import type { Scene } from '../scene/scene.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { View } from '../view/view.ts';
import { NodeType } from './connection.ts';
import type { RequestContext } from './context.ts';
import { ModelType } from './model.type.ts';

/** Queries that belong to no one kind of object. */
@Resolver()
export class NodeResolver {
  @AllowedTo('viewer')
  @Query(() => NodeType, {
    nullable: true,
    description: 'A scene, segmentation, feature, view or job by its identifier; null when it does not exist.',
  })
  async node(
    @Arg('id', () => ID, { description: 'Global identifier.' }) id: string,
    @Ctx() { services: { scenes, segmentations, features, views, jobs } }: RequestContext,
  ): Promise<Scene | Segmentation | Feature | View | Job | null> {
    return (
      (await scenes.byId(id)) ??
      (await segmentations.byId(id)) ??
      (await features.byId(id)) ??
      (await views.byId(id)) ??
      (await jobs.byId(id))
    );
  }

  @AllowedTo('viewer')
  @Query(() => [ModelType], { description: 'Every installed model.' })
  models(@Ctx() { services: { models } }: RequestContext): ModelType[] {
    return models.list().map((model) => ({ ...model, ready: models.isReady(model.id) }));
  }
}
