import type { FeatureCollection, Geometry } from 'geojson';
import { Arg, Ctx, FieldResolver, Float, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { toConnection, type Connection } from '../graphql/connection.ts';
import type { RequestContext } from '../graphql/context.ts';
import { withoutNulls } from '../graphql/absent-null.ts';
import { DEFAULT_PAGE, pageRequest } from '../graphql/page-request.ts';
import type { RequestLimits } from '../graphql/request-limits.ts';
import { GeoJSONFeatureCollectionScalar, GeoJSONGeometryScalar } from '../graphql/scalars.ts';
import type { Scene } from '../scene/scene.ts';
import { SceneType } from '../scene/scene.type.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { SegmentationType } from '../segmentation/segmentation.type.ts';
import type { Feature, FeatureNeighbour } from './feature.ts';
import type { GeometryFormat } from './feature.store.ts';
import type { FeatureService } from './feature.service.ts';
import {
  AdjacencyRelationEnum,
  FeatureConnectionType,
  FeatureFilterInput,
  FeatureNeighbourConnectionType,
  FeatureOrderInput,
  FeatureType,
} from './feature.type.ts';

@Resolver(() => FeatureType)
export class FeatureResolver {
  constructor(
    private readonly features: FeatureService,
    private readonly limits: RequestLimits,
  ) {}

  @Query(() => FeatureType, { nullable: true })
  feature(@Arg('id', () => ID) id: string): Promise<Feature | null> {
    return this.features.byId(id);
  }

  @Query(() => FeatureConnectionType, { name: 'features', description: 'Largest first unless ordered otherwise.' })
  async list(
    @Arg('filter', () => FeatureFilterInput, { nullable: true }) filter: FeatureFilterInput | undefined,
    @Arg('orderBy', () => FeatureOrderInput, { nullable: true }) orderBy: FeatureOrderInput | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 100 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
  ): Promise<Connection<Feature>> {
    return toConnection(
      await this.features.find(withoutNulls(filter ?? {}), orderBy, pageRequest(first, after, this.limits.maxPage)),
      after,
    );
  }

  @Query(() => GeoJSONFeatureCollectionScalar, {
    description: 'The same filter as one GeoJSON document, built by PostGIS.',
  })
  async featureCollection(
    @Arg('filter', () => FeatureFilterInput, { nullable: true }) filter: FeatureFilterInput | undefined,
    @Arg('orderBy', () => FeatureOrderInput, { nullable: true }) orderBy: FeatureOrderInput | undefined,
    @Arg('limit', () => Int, { nullable: true, defaultValue: 1000 }) limit: number | null,
    @Arg('precision', () => Int, { nullable: true, defaultValue: 7, description: 'Decimal places.' }) precision:
      | number
      | null,
    @Arg('simplifyM', () => Float, {
      nullable: true,
      defaultValue: 0,
      description: 'Largest shift of an outline, metres.',
    })
    simplifyM: number | null,
  ): Promise<FeatureCollection> {
    return JSON.parse(
      await this.features.featureCollection(
        withoutNulls(filter ?? {}),
        orderBy,
        limit ?? 1000,
        geometryFormat(precision, simplifyM),
      ),
    );
  }

  @FieldResolver(() => GeoJSONGeometryScalar)
  async geometry(
    @Root() { id }: Feature,
    @Ctx() { geometries }: RequestContext,
    @Arg('precision', () => Int, { nullable: true, defaultValue: 7, description: 'Decimal places.' }) precision:
      | number
      | null,
    @Arg('simplifyM', () => Float, {
      nullable: true,
      defaultValue: 0,
      description: 'Largest shift of an outline, metres.',
    })
    simplifyM: number | null,
  ): Promise<Geometry> {
    return JSON.parse(await geometries(geometryFormat(precision, simplifyM)).load(id));
  }

  @FieldResolver(() => GeoJSONGeometryScalar, { description: 'A point.' })
  centroid(@Root() { centroid }: Feature): Geometry {
    return { type: 'Point', coordinates: [...centroid] };
  }

  @FieldResolver(() => SceneType)
  scene(@Root() { sceneId }: Feature, @Ctx() { scenes }: RequestContext): Promise<Scene> {
    return scenes.load(sceneId);
  }

  @FieldResolver(() => SegmentationType)
  segmentation(@Root() { segmentationId }: Feature, @Ctx() { segmentations }: RequestContext): Promise<Segmentation> {
    return segmentations.load(segmentationId);
  }

  @FieldResolver(() => FeatureNeighbourConnectionType, { description: 'Nearest first.' })
  async neighbours(
    @Root() { id }: Feature,
    @Arg('relation', () => AdjacencyRelationEnum, { nullable: true }) relation:
      | keyof typeof AdjacencyRelationEnum
      | undefined,
    @Arg('withinM', () => Float, {
      nullable: true,
      description: 'Largest geodesic gap; looks beyond the stored neighbours.',
    })
    withinM: number | undefined,
    @Arg('inSegmentationId', () => ID, { nullable: true }) inSegmentationId: string | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: DEFAULT_PAGE }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
  ): Promise<FeatureNeighbourConnectionType> {
    const wanted = withoutNulls({ relation, withinM, inSegmentationId });
    const page = await this.features.neighbours(id, wanted, pageRequest(first, after, this.limits.maxPage));
    const { pageInfo, totalCount } = toConnection(page, after);
    return { edges: page.edges.map(flattened), pageInfo, totalCount };
  }
}

function flattened({ node, cursor }: { node: FeatureNeighbour; cursor: string }) {
  return { ...node, cursor };
}

function geometryFormat(precision: number | null, simplifyM: number | null): GeometryFormat {
  return { precision: precision ?? 7, simplifyM: simplifyM ?? 0 };
}
