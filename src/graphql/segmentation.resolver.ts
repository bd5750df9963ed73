import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { Feature } from '../feature/feature.ts';
import { FeatureConnectionType, FeatureFilterInput, FeatureOrderInput } from './feature.type.ts';
import { toConnection, type Connection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { ModelType } from './model.type.ts';
import { withoutNulls } from './absent-null.ts';
import { askPage, FeaturePageArgs, PageArgs } from './page-request.ts';
import { toSegmentRequest } from './segment-request.ts';
import type { Scene } from '../scene/scene.ts';
import { SceneType } from './scene.type.ts';
import type { Segmentation, StoredMask } from '../segmentation/segmentation.ts';
import {
  FailureType,
  MaskType,
  ProgressType,
  SegmentationConnectionType,
  SegmentationFilterInput,
  SegmentationType,
  SegmentInput,
} from './segmentation.type.ts';

/** A stored mask with the segmentation that its links are made of. */
type LinkedMask = StoredMask & { readonly segmentationId: string };

@Resolver(() => SegmentationType)
export class SegmentationResolver {
  @AllowedTo('viewer')
  @Query(() => SegmentationType, {
    nullable: true,
    description: 'A segmentation by its identifier; null when it does not exist.',
  })
  segmentation(
    @Arg('id', () => ID, { description: 'Identifier of the segmentation.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<Segmentation | null> {
    return services.segmentations.byId(id);
  }

  @AllowedTo('viewer')
  @Query(() => SegmentationConnectionType, {
    name: 'segmentations',
    description: 'Segmentations that match, newest first.',
  })
  async list(
    @Arg('filter', () => SegmentationFilterInput, {
      nullable: true,
      description: 'Conditions on the segmentations; all segmentations by default.',
    })
    filter: SegmentationFilterInput | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Connection<Segmentation>> {
    const asked = withoutNulls(filter ?? {});
    const found = await askPage(page, limits.maxPage, (wanted) => services.segmentations.list(asked, wanted));
    return toConnection(found, found.totalCount);
  }

  @AllowedTo('analyst')
  @Mutation(() => [SegmentationType], {
    description:
      'Asks questions about a scene, one segmentation per prompt; they share the work on the image. Returns at once, or after up to `waitS` seconds. Work that is stored or in progress is returned as it is. Work on another scene with the same image is awaited and copied.',
  })
  segment(
    @Arg('input', () => SegmentInput, { description: 'The questions.' }) input: SegmentInput,
    @Ctx() { services, limits, warn }: RequestContext,
  ): Promise<Segmentation[]> {
    return services.segmentations.segment(toSegmentRequest(input, limits), warn);
  }

  @AllowedTo('analyst')
  @Mutation(() => SegmentationType, { description: 'Cancels a segmentation that is QUEUED or RUNNING.' })
  cancelSegmentation(
    @Arg('id', () => ID, { description: 'Identifier of the segmentation.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<Segmentation> {
    return services.segmentations.cancel(id);
  }

  @AllowedTo('admin')
  @Mutation(() => Boolean, { description: 'Deletes a segmentation with its mask and features; a run of it ends.' })
  async deleteSegmentation(
    @Arg('id', () => ID, { description: 'Identifier of the segmentation.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<boolean> {
    await services.segmentations.delete(id);
    return true;
  }

  @AllowedTo('analyst')
  @Mutation(() => [SegmentationType], { description: 'Puts FAILED segmentations back in the queue.' })
  retrySegmentations(
    @Arg('ids', () => [ID], { description: 'Identifiers of the segmentations.' }) ids: string[],
    @Ctx() { services }: RequestContext,
  ): Promise<Segmentation[]> {
    return services.segmentations.retry(ids);
  }

  @AllowedTo('viewer')
  @Subscription(() => SegmentationType, {
    subscribe: ({ args, context }: { args: { id: string }; context: RequestContext }) =>
      context.services.segmentations.progress(args.id),
    description: 'The segmentation now and after each step, at most twice a second; ends when it is final.',
  })
  segmentationProgress(
    @Root() segmentation: Segmentation,
    @Arg('id', () => ID, { description: 'Identifier of the segmentation.' }) _id: string,
  ): Segmentation {
    return segmentation;
  }

  @FieldResolver(() => SceneType, { description: 'Scene that was asked about.' })
  scene(@Root() { sceneId }: Segmentation, @Ctx() { scenes }: RequestContext): Promise<Scene> {
    return scenes.load(sceneId);
  }

  @FieldResolver(() => ModelType, { description: 'Model that answered, or will answer.' })
  model(@Root() { model }: Segmentation, @Ctx() { services }: RequestContext): ModelType {
    return { ...model, ready: services.models.isReady(model.id) };
  }

  @FieldResolver(() => ProgressType, { description: 'Progress of the run.' })
  progress(@Root() { progress }: Segmentation): ProgressType {
    const { windowsDone, windowsTotal } = progress;
    return { ...progress, fraction: windowsTotal > 0 ? windowsDone / windowsTotal : 0 };
  }

  @FieldResolver(() => FailureType, {
    nullable: true,
    description: 'Why it FAILED; while it is QUEUED, why the last attempt failed.',
  })
  failure(@Root() { failure, attempts }: Segmentation): FailureType | null {
    return failure && { ...failure, attempts };
  }

  @FieldResolver(() => MaskType, { nullable: true, description: 'The mask; null until SUCCEEDED.' })
  async mask(@Root() { id }: Segmentation, @Ctx() { masks }: RequestContext): Promise<LinkedMask | null> {
    const mask = await masks.load(id);
    return mask && { ...mask, segmentationId: id };
  }

  @FieldResolver(() => String, {
    description: 'URL template of vector tiles of its features, with {z}, {x} and {y}.',
  })
  tilesUrl(@Root() { id }: Segmentation, @Ctx() { links }: RequestContext): string {
    const filter = encodeURIComponent(JSON.stringify({ segmentationId: id }));
    return links.absolute(`/tiles/features/{z}/{x}/{y}.mvt?filter=${filter}`);
  }

  @FieldResolver(() => FeatureConnectionType, {
    name: 'features',
    description: 'Features found, largest first by default.',
  })
  async found(
    @Root() { id }: Segmentation,
    @Arg('filter', () => FeatureFilterInput, {
      nullable: true,
      description: 'Conditions on the features; all features by default.',
    })
    filter: FeatureFilterInput | undefined,
    @Arg('orderBy', () => FeatureOrderInput, {
      nullable: true,
      description: 'Order of the features; largest first by default.',
    })
    orderBy: FeatureOrderInput | undefined,
    @Args(() => FeaturePageArgs) page: FeaturePageArgs,
    @Ctx() { limits, featuresOf, featureCounts }: RequestContext,
  ): Promise<Connection<Feature>> {
    const asked = withoutNulls(filter ?? {});
    const found = await askPage(page, limits.maxPage, (wanted) =>
      featuresOf({ filter: asked, order: orderBy, page: wanted }).load(id),
    );
    return toConnection(found, () => featureCounts(asked).load(id));
  }
}

@Resolver(() => MaskType)
export class MaskResolver {
  @FieldResolver(() => String, { description: 'URL of the mask as a black and white PNG.' })
  pngUrl(@Root() mask: LinkedMask, @Ctx() { links }: RequestContext): string {
    return links.absolute(`/segmentations/${mask.segmentationId}/mask.png`);
  }

  @FieldResolver(() => String, { description: 'URL of the scene with the mask drawn over it, PNG.' })
  overlayUrl(@Root() mask: LinkedMask, @Ctx() { links }: RequestContext): string {
    return links.absolute(`/segmentations/${mask.segmentationId}/overlay.png`);
  }

  @FieldResolver(() => String, {
    description: 'URL of the mask as a Cloud Optimized GeoTIFF on the grid of the scene.',
  })
  geotiffUrl(@Root() mask: LinkedMask, @Ctx() { links }: RequestContext): string {
    return links.absolute(`/segmentations/${mask.segmentationId}/mask.tif`);
  }

  @FieldResolver(() => String, {
    description:
      'URL template of map tiles of the mask, coloured by the mean probability of each part, with {z}, {x} and {y}.',
  })
  tilesUrl(@Root() mask: LinkedMask, @Ctx() { links }: RequestContext): string {
    return links.absolute(`/tiles/segmentations/${mask.segmentationId}/{z}/{x}/{y}.webp`);
  }
}
