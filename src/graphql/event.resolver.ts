import { Arg, Args, Ctx, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import { cursorOf, type EventType, type StoredEvent } from '../event/event.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { Feature } from '../feature/feature.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { withoutNulls } from './absent-null.ts';
import { AllowedTo } from './allowed-to.ts';
import { type Connection, toConnection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { FeaturesAddedType, SegmentationChangedType } from './event.type.ts';
import { FeatureConnectionType, FeatureFilterInput } from './feature.type.ts';
import { askPage, FeaturePageArgs } from './page-request.ts';
import { SegmentationFilterInput } from './segmentation.type.ts';

const AFTER = 'Cursor of the last event that the client received; by default, only new events are sent.';
const STATES: readonly EventType[] = [
  'segmentation.queued',
  'segmentation.running',
  'segmentation.succeeded',
  'segmentation.failed',
  'segmentation.cancelled',
];

/** Event about added features. */
interface FeaturesAdded {
  readonly cursor: string;
  readonly at: Date;
  readonly featureCount: number;
  readonly segmentation: Segmentation;
  /** The features that are meant. */
  readonly wanted: RequestedFilter;
}

/** Event about a segmentation. */
interface SegmentationChanged {
  readonly cursor: string;
  readonly at: Date;
  readonly state: string;
  readonly segmentation: Segmentation;
}

interface Subscribed<Filter> {
  readonly args: { readonly filter?: Filter | null; readonly after?: string | null };
  readonly context: RequestContext;
}

@Resolver(() => FeaturesAddedType)
export class FeaturesAddedResolver {
  @AllowedTo('viewer')
  @Subscription(() => FeaturesAddedType, {
    subscribe: followFeatures,
    description: 'Sends an event each time a segmentation stores matching features, whichever process ran it.',
  })
  featuresAdded(
    @Root() added: FeaturesAdded,
    @Arg('filter', () => FeatureFilterInput, {
      nullable: true,
      description: 'Conditions on the features; all features by default.',
    })
    _filter: FeatureFilterInput | undefined,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after: string | undefined,
  ): FeaturesAdded {
    return added;
  }

  @FieldResolver(() => FeatureConnectionType, { description: 'The matching features, largest first.' })
  async features(
    @Root() { wanted }: FeaturesAdded,
    @Args(() => FeaturePageArgs) page: FeaturePageArgs,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Connection<Feature>> {
    const found = await askPage(page, limits.maxPage, (asked) => services.features.find(wanted, undefined, asked));
    return toConnection(found, found.totalCount);
  }
}

@Resolver(() => SegmentationChangedType)
export class SegmentationChangedResolver {
  @AllowedTo('viewer')
  @Subscription(() => SegmentationChangedType, {
    subscribe: followSegmentations,
    description:
      'Sends an event each time a matching segmentation is queued, starts or ends, whichever process runs it.',
  })
  segmentationsChanged(
    @Root() changed: SegmentationChanged,
    @Arg('filter', () => SegmentationFilterInput, {
      nullable: true,
      description: 'Conditions on the segmentations; all segmentations by default.',
    })
    _filter: SegmentationFilterInput | undefined,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after: string | undefined,
  ): SegmentationChanged {
    return changed;
  }
}

function followFeatures({
  args,
  context,
}: Subscribed<FeatureFilterInput>): Promise<AsyncIterableIterator<FeaturesAdded>> {
  const { events, features, segmentations } = context.services;
  const filter = withoutNulls(args.filter ?? {}) as RequestedFilter;
  const told = async ({ position, data, at, objectId }: StoredEvent): Promise<FeaturesAdded | null> => {
    const wanted: RequestedFilter = { and: [{ segmentationId: objectId }, filter] };
    const segmentation = await segmentations.byId(objectId);
    const isAll = Object.keys(filter).length === 0;
    const featureCount = isAll ? (data.featureCount ?? 0) : await features.count(wanted);
    if (!segmentation || featureCount === 0) return null;
    return { cursor: cursorOf(position), at, featureCount, segmentation, wanted };
  };
  return features
    .checkedFilter({ and: [{}, filter] })
    .then(() => events.follow(['features.added'], args.after ?? null, told));
}

function followSegmentations({
  args,
  context,
}: Subscribed<SegmentationFilterInput>): Promise<AsyncIterableIterator<SegmentationChanged>> {
  const { events, segmentations } = context.services;
  const filter = withoutNulls(args.filter ?? {});
  const told = async ({ position, data, at, objectId }: StoredEvent): Promise<SegmentationChanged | null> => {
    const { edges } = await segmentations.list({ ...filter, ids: [objectId] }, { first: 1 });
    const segmentation = edges[0]?.node;
    if (!segmentation) return null;
    return { cursor: cursorOf(position), at, state: data.state ?? segmentation.state, segmentation };
  };
  return events.follow(STATES, args.after ?? null, told);
}
