import type { Geometry } from 'geojson';
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Float, ID, Info, Int, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import { pageInfoOf, type PageInfoType, toConnection, type Connection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { neighboursCost } from './cost.ts';
import { withoutNulls } from './absent-null.ts';
import { DEFAULT_COLLECTION, askPage, FeaturePageArgs, isEmpty, PageArgs, pageRequest } from './page-request.ts';
import { JsonText } from './text-answer/json-text.ts';
import { DateTimeScalar, GeoJSONFeatureCollectionScalar, GeoJSONGeometryScalar } from './scalars.ts';
import type { Scene } from '../scene/scene.ts';
import { SceneType } from './scene.type.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { SegmentationType } from './segmentation.type.ts';
import type { Feature, FeatureNeighbour } from '../feature/feature.ts';
import {
  AdjacencyRelationEnum,
  FeatureConnectionType,
  FeatureFilterInput,
  FeatureNeighbourConnectionType,
  FeatureOrderInput,
  FeatureType,
} from './feature.type.ts';
import { geometryFormat, outlinesOf } from './text-answer/outline-field.ts';
import { plainNodes } from './text-answer/plain-nodes.ts';
import { writtenConnection } from './text-answer/written-nodes.ts';

/** Neighbours with what the edge says of them. */
interface NeighbourConnection {
  readonly edges: readonly (FeatureNeighbour & { readonly cursor: string })[];
  readonly pageInfo: PageInfoType;
  /** Counted when it is read. */
  readonly totalCount: Promise<number>;
}

@Resolver(() => FeatureType)
export class FeatureResolver {
  @AllowedTo('viewer')
  @Query(() => FeatureType, {
    nullable: true,
    description: 'A feature by its identifier; null when it does not exist.',
  })
  feature(
    @Arg('id', () => ID, { description: 'Identifier of the feature.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<Feature | null> {
    return services.features.byId(id);
  }

  @AllowedTo('viewer')
  @Query(() => FeatureConnectionType, {
    name: 'features',
    description: 'Features that match, largest first by default.',
  })
  async list(
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
    @Ctx() { services, limits, warn, texts }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Connection<Feature>> {
    const asked = withoutNulls(filter ?? {});
    const plain = texts && !isEmpty(page) && plainNodes(info);
    if (!plain) {
      const outlines = outlinesOf(info);
      const found = await askPage(page, limits.maxPage, (wanted) =>
        services.features.find(asked, orderBy, wanted, warn, outlines),
      );
      return toConnection(found, found.totalCount);
    }
    const wanted = pageRequest(page, limits.maxPage);
    const found = await services.features.findTexts(asked, orderBy, wanted, plain, warn);
    texts.push({ field: String(info.path.key), key: plain.key, text: JsonText.list(found.texts) });
    return writtenConnection(found.page && pageInfoOf(found.page), found.totalCount);
  }

  @AllowedTo('viewer')
  @Query(() => GeoJSONFeatureCollectionScalar, {
    description: 'The same filter as one GeoJSON document, built by PostGIS.',
  })
  async featureCollection(
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
    @Arg('limit', () => Int, {
      nullable: true,
      defaultValue: DEFAULT_COLLECTION,
      description: 'Maximum number of features.',
    })
    limit: number | null,
    @Arg('precision', () => Int, {
      nullable: true,
      defaultValue: 7,
      description: 'Decimal places of coordinates, 0 to 15.',
    })
    precision: number | null,
    @Arg('simplifyM', () => Float, {
      nullable: true,
      defaultValue: 0,
      description: 'Largest shift of an outline by simplification, metres.',
    })
    simplifyM: number | null,
    @Ctx() { services, warn }: RequestContext,
  ): Promise<JsonText> {
    const format = geometryFormat({ precision, simplifyM });
    const wanted = withoutNulls(filter ?? {});
    return JsonText.of(
      await services.features.featureCollection(wanted, orderBy, limit ?? DEFAULT_COLLECTION, format, warn),
    );
  }

  @FieldResolver(() => GeoJSONGeometryScalar, { complexity: 1, description: 'Outline of the feature.' })
  async geometry(
    @Root() { id }: Feature,
    @Ctx() { geometries }: RequestContext,
    @Arg('precision', () => Int, {
      nullable: true,
      defaultValue: 7,
      description: 'Decimal places of coordinates, 0 to 15.',
    })
    precision: number | null,
    @Arg('simplifyM', () => Float, {
      nullable: true,
      defaultValue: 0,
      description: 'Largest shift of the outline by simplification, metres.',
    })
    simplifyM: number | null,
  ): Promise<JsonText> {
    return JsonText.of(await geometries(geometryFormat({ precision, simplifyM })).load(id));
  }

  @FieldResolver(() => GeoJSONGeometryScalar, { description: 'Centroid of the outline, a point.' })
  centroid(@Root() { centroid }: Feature): Geometry {
    return { type: 'Point', coordinates: [...centroid] };
  }

  @FieldResolver(() => SceneType, { description: 'Scene in which the feature was found.' })
  scene(@Root() { sceneId }: Feature, @Ctx() { scenes }: RequestContext): Promise<Scene> {
    return scenes.load(sceneId);
  }

  @FieldResolver(() => SegmentationType, { description: 'Segmentation that found the feature.' })
  segmentation(@Root() { segmentationId }: Feature, @Ctx() { segmentations }: RequestContext): Promise<Segmentation> {
    return segmentations.load(segmentationId);
  }

  @FieldResolver(() => DateTimeScalar, { description: 'When the feature was stored.' })
  async createdAt(@Root() { segmentationId }: Feature, @Ctx() { segmentations }: RequestContext): Promise<Date> {
    return storedAt(await segmentations.load(segmentationId));
  }

  @FieldResolver(() => DateTimeScalar, {
    description: 'When the newest review of the feature was given; without one, when it was stored.',
  })
  async updatedAt(
    @Root() { id, segmentationId }: Feature,
    @Ctx() { segmentations, reviews }: RequestContext,
  ): Promise<Date> {
    return (await reviews.load(id))?.at ?? storedAt(await segmentations.load(segmentationId));
  }

  @FieldResolver(() => FeatureNeighbourConnectionType, {
    description: 'Features of any prompt and scene that touch this feature or are near it, nearest first.',
    complexity: neighboursCost,
  })
  async neighbours(
    @Root() { id }: Feature,
    @Arg('relation', () => AdjacencyRelationEnum, { nullable: true, description: 'Only neighbours of this relation.' })
    relation: keyof typeof AdjacencyRelationEnum | undefined,
    @Arg('withinM', () => Float, {
      nullable: true,
      description:
        "Largest geodesic gap to features of any scene, metres; the service's neighbour distance by default.",
    })
    withinM: number | undefined,
    @Arg('inSegmentationId', () => ID, { nullable: true, description: 'Only neighbours found by this segmentation.' })
    inSegmentationId: string | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { limits, neighbours, neighbourCounts }: RequestContext,
  ): Promise<NeighbourConnection> {
    const filter = withoutNulls({ relation, withinM, inSegmentationId });
    const found = await askPage(page, limits.maxPage, (wanted) => neighbours({ filter, page: wanted }).load(id));
    return {
      edges: found.edges.map(({ node, cursor }) => ({ ...node, cursor })),
      pageInfo: pageInfoOf(found),
      get totalCount() {
        return neighbourCounts(filter).load(id);
      },
    };
  }
}

/** Features are stored when their segmentation ends. */
function storedAt({ finishedAt, createdAt }: Segmentation): Date {
  return finishedAt ?? createdAt;
}
