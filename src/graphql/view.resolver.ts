import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { Feature } from '../feature/feature.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import type { View } from '../view/view.ts';
import type { RequestedView } from '../view/view.service.ts';
import { withoutNulls } from './absent-null.ts';
import { type Connection, toConnection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { FeatureConnectionType, FeatureOrderInput } from './feature.type.ts';
import { FeaturePageArgs, pageRequest } from './page-request.ts';
import { ExportFormatEnum, FeatureOrderType, ViewInput, ViewType } from './view.type.ts';

const EXTENSIONS: Readonly<Record<keyof typeof ExportFormatEnum, string>> = {
  GEOJSON: 'geojson',
  NDJSON: 'ndjson',
  CSV: 'csv',
  FLATGEOBUF: 'fgb',
  GEOPARQUET: 'parquet',
  GEOPARQUET_PARTITIONED: 'parquet.zip',
  COCO: 'coco',
};

@Resolver(() => ViewType)
export class ViewResolver {
  @AllowedTo('viewer')
  @Query(() => [ViewType], { nullable: true, description: 'Every saved view, by name.' })
  views(@Ctx() { services }: RequestContext): Promise<View[]> {
    return services.views.list();
  }

  @AllowedTo('viewer')
  @Query(() => ViewType, { nullable: true, description: 'A view by its slug; null when it does not exist.' })
  view(
    @Arg('slug', () => String, { description: 'Name in URLs.' }) slug: string,
    @Ctx() { services }: RequestContext,
  ): Promise<View | null> {
    return services.views.bySlug(slug);
  }

  @FieldResolver(() => FeatureOrderType, {
    nullable: true,
    description: 'Order of its features; null for the default.',
  })
  orderBy(@Root() { order }: View): FeatureOrder | null {
    return order;
  }

  @FieldResolver(() => FeatureConnectionType, { nullable: true, description: 'The features of the view.' })
  async features(
    @Root() view: View,
    @Arg('orderBy', () => FeatureOrderInput, {
      nullable: true,
      description: 'Order that replaces the order of the view.',
    })
    orderBy: FeatureOrderInput | undefined,
    @Args(() => FeaturePageArgs) page: FeaturePageArgs,
    @Ctx() { services, limits, warn }: RequestContext,
  ): Promise<Connection<Feature>> {
    const order = orderBy ?? view.order ?? undefined;
    const found = await services.features.find(view.filter, order, pageRequest(page, limits.maxPage), warn);
    return toConnection(found, found.totalCount);
  }

  @FieldResolver(() => String, { description: 'URL template of its vector tiles, with {z}, {x} and {y}.' })
  tilesUrl(@Root() { slug }: View, @Ctx() { links }: RequestContext): string {
    return links.absolute(`/tiles/features/{z}/{x}/{y}.mvt?view=${slug}`);
  }

  @FieldResolver(() => String, { description: 'URL of its features as a file.' })
  exportUrl(
    @Root() { slug }: View,
    @Arg('format', () => ExportFormatEnum, { description: 'Format of the file.' })
    format: keyof typeof ExportFormatEnum,
    @Ctx() { links }: RequestContext,
  ): string {
    return links.absolute(`/features.${EXTENSIONS[format]}?view=${slug}`);
  }

  @AllowedTo('analyst')
  @Mutation(() => ViewType, { nullable: true, description: 'Saves a view.' })
  createView(
    @Arg('input', () => ViewInput, { description: 'The view.' }) input: ViewInput,
    @Ctx() { services }: RequestContext,
  ): Promise<View> {
    return services.views.create(requestedView(input));
  }

  @AllowedTo('analyst')
  @Mutation(() => ViewType, { nullable: true, description: 'Replaces a view.' })
  updateView(
    @Arg('id', () => ID, { description: 'Identifier of the view.' }) id: string,
    @Arg('input', () => ViewInput, { description: 'The new content of the view.' }) input: ViewInput,
    @Ctx() { services }: RequestContext,
  ): Promise<View> {
    return services.views.update(id, requestedView(input));
  }

  @AllowedTo('admin')
  @Mutation(() => ID, { nullable: true, description: 'Deletes a view. Returns its identifier.' })
  deleteView(
    @Arg('id', () => ID, { description: 'Identifier of the view.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<string> {
    return services.views.delete(id);
  }
}

function requestedView({ name, slug, filter, orderBy, style }: ViewInput): RequestedView {
  const order = orderBy ?? null;
  return { name, slug: slug ?? null, filter: withoutNulls(filter) as RequestedFilter, order, style: style ?? null };
}
