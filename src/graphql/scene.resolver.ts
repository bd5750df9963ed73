import { Arg, Args, Ctx, FieldResolver, Float, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import { toConnection, type Connection } from './connection.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { withoutNulls } from './absent-null.ts';
import { askPage, PageArgs } from './page-request.ts';
import { SegmentationConnectionType } from './segmentation.type.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { DateTimeScalar } from './scalars.ts';
import { isGeoreferenced, type Scene } from '../scene/scene.ts';
import type { Upload } from '../scene/upload.service.ts';
import { RegisterSceneInput, SceneConnectionType, SceneFilterInput, SceneType } from './scene.type.ts';
import { type HttpHeaderType, UploadType } from './upload.type.ts';

@Resolver(() => SceneType)
export class SceneResolver {
  @AllowedTo('viewer')
  @Query(() => SceneType, { nullable: true, description: 'A scene by its identifier; null when it does not exist.' })
  scene(
    @Arg('id', () => ID, { description: 'Identifier of the scene.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<Scene | null> {
    return services.scenes.byId(id);
  }

  @AllowedTo('viewer')
  @Query(() => SceneConnectionType, { name: 'scenes', description: 'Scenes that match, newest first.' })
  async list(
    @Arg('filter', () => SceneFilterInput, {
      nullable: true,
      description: 'Conditions on the scenes; all scenes by default.',
    })
    filter: SceneFilterInput | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, limits, warn }: RequestContext,
  ): Promise<Connection<Scene>> {
    const { intersects, ...rest } = withoutNulls(filter ?? {});
    const checked = {
      ...rest,
      ...(intersects ? { intersects: parseGeometry(intersects, limits.maxVertices) } : {}),
    };
    const found = await askPage(page, limits.maxPage, (wanted) => services.scenes.list(checked, wanted, warn));
    return toConnection(found, found.totalCount);
  }

  @AllowedTo('analyst')
  @Mutation(() => SceneType, {
    description: 'Registers an image as a scene.',
  })
  registerScene(
    @Arg('input', () => RegisterSceneInput, { description: 'The image and its metadata.' })
    input: RegisterSceneInput,
    @Ctx() { services, warn }: RequestContext,
  ): Promise<Scene> {
    return services.scenes.register(withoutNulls(input), warn);
  }

  @AllowedTo('analyst')
  @Mutation(() => UploadType, {
    description: 'Creates a one-time URL that accepts an image by PUT; register the image with `uploadId` afterwards.',
  })
  async createUpload(
    @Arg('filename', () => String, { description: 'Name of the file, with its extension.' }) filename: string,
    @Arg('sizeBytes', () => Float, { description: 'Size of the file, bytes.' }) sizeBytes: number,
    @Arg('sha256', () => String, {
      nullable: true,
      description: 'SHA-256 of the file, lower-case hexadecimal; other bytes are then refused.',
    })
    sha256: string | undefined,
    @Ctx() { services, links }: RequestContext,
  ): Promise<UploadType> {
    const { path, direct, ...upload } = await services.uploads.createUpload(filename, sizeBytes, sha256);
    return {
      ...upload,
      url: links.absolute(path, 'PUT'),
      direct: direct && { url: direct.url, headers: listed(direct) },
    };
  }

  @AllowedTo('admin')
  @Mutation(() => Boolean, { description: 'Deletes a scene and everything found in it.' })
  async deleteScene(
    @Arg('id', () => ID, { description: 'Identifier of the scene.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<boolean> {
    await services.scenes.delete(id);
    return true;
  }

  @AllowedTo('admin')
  @Mutation(() => SceneType, {
    description: 'Says when a scene is deleted with everything found in it; null: as the service is set up.',
  })
  keepScene(
    @Arg('id', () => ID, { description: 'Identifier of the scene.' }) id: string,
    @Arg('until', () => DateTimeScalar, { nullable: true, description: 'An instant in the future.' })
    until: Date | null | undefined,
    @Ctx() { services }: RequestContext,
  ): Promise<Scene> {
    return services.scenes.keep(id, until ?? null);
  }

  @FieldResolver(() => Boolean)
  readByRange(@Root() { remote }: Scene): boolean {
    return remote !== null;
  }

  @FieldResolver(() => [Float], {
    nullable: true,
    description:
      'GDAL geotransform [x0, dx/column, dx/row, y0, dy/column, dy/row], CRS units; null without georeference.',
  })
  geotransform(@Root() scene: Scene): readonly number[] | null {
    return scene.affine;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'URL template of its map tiles, with {z}, {x} and {y}; null without georeference.',
  })
  tilesUrl(@Root() scene: Scene, @Ctx() { links }: RequestContext): string | null {
    return isGeoreferenced(scene) ? links.absolute(`/tiles/scenes/${scene.id}/{z}/{x}/{y}.webp`) : null;
  }

  @FieldResolver(() => SegmentationConnectionType, {
    name: 'segmentations',
    description: 'Segmentations of the scene, newest first.',
  })
  async askedOf(
    @Root() { id }: Scene,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { limits, segmentationsOf, segmentationCounts }: RequestContext,
  ): Promise<Connection<Segmentation>> {
    const found = await askPage(page, limits.maxPage, (wanted) => segmentationsOf(wanted).load(id));
    return toConnection(found, () => segmentationCounts.load(id));
  }
}

function listed({ headers }: NonNullable<Upload['direct']>): HttpHeaderType[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}
