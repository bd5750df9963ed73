import type { MultiPolygon, Polygon } from 'geojson';
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar, GeoJSONGeometryScalar } from './scalars.ts';

@ObjectType('Scene', { implements: NodeType, description: 'A registered image and its georeference.' })
export class SceneType extends NodeType {
  @Field(() => String, { description: 'Name given at registration; the file name by default.' })
  readonly name!: string;

  @Field(() => String, {
    description: 'Where the image was registered from: a path, a URL, or `upload:` and the file name.',
  })
  readonly source!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Whom to name where the image is shown, as plain text; null unless its tile service was registered with one.',
  })
  readonly attribution!: string | null;

  @Field(() => String, {
    description:
      'SHA-256 of the file, lower-case hexadecimal; for a scene read by range (`readByRange`), of its ETag, size and first 16 KiB.',
  })
  readonly sha256!: string;

  @Field(() => Boolean, {
    description:
      'Whether the image stays at its source and is read by range. An image that has changed since is refused with SOURCE_CHANGED.',
  })
  readonly readByRange!: boolean;

  @Field(() => Int, { description: 'Width of the image, pixels.' })
  readonly widthPx!: number;

  @Field(() => Int, { description: 'Height of the image, pixels.' })
  readonly heightPx!: number;

  @Field(() => Int, { description: 'Number of bands (samples per pixel).' })
  readonly bands!: number;

  @Field(() => String, { description: 'Sample type as stored, such as uint8, int16 or float32.' })
  readonly dtype!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Coordinate reference system: an EPSG code or a definition; null without georeference.',
  })
  readonly crs!: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Ground sample distance at the centre of the scene, metres; null without georeference.',
  })
  readonly gsdM!: number | null;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Ground outline of the image; null without georeference.',
  })
  readonly footprint!: Polygon | MultiPolygon | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic area of the footprint, square metres; null without georeference.',
  })
  readonly areaM2!: number | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the image was taken; null when unknown.' })
  readonly acquiredAt!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When the scene was registered.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the scene is deleted with everything found in it; null: as the service is set up.',
  })
  readonly keepUntil!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      "When the service's copy of the image was deleted; what was found in it is kept. Null while it is readable.",
  })
  readonly imageDeletedAt!: Date | null;
}

export const SceneConnectionType = connectionTypes('Scene', () => SceneType);

@InputType('TileSourceInput', {
  description:
    'Part of a tile service whose tiles are those of Web Mercator (EPSG:3857). The tiles are fetched and kept as one image, whose edges are those of whole tiles.',
})
export class TileSourceInput {
  @Field(() => String, {
    description:
      'Address over https with placeholders: {z}, {x} and {y}, or {-y} where rows count from the south, or {TileMatrix}, {TileCol} and {TileRow} of WMTS.',
  })
  template!: string;

  @Field(() => Int, { description: 'Zoom of the tiles, from 0 to 24. Each further zoom has four times the tiles.' })
  zoom!: number;

  @Field(() => [Float], {
    description: 'Area to read: [west, south, east, north], WGS 84 degrees; at most TERRAQL_MAX_TILES tiles.',
  })
  bounds!: number[];

  @Field(() => String, {
    nullable: true,
    description: 'Whom the service wants to be named, as plain text; kept with the scene and shown on the map.',
  })
  attribution?: string;
}

@InputType('RegisterSceneInput', {
  description: 'An image to register: exactly one of `path`, `url`, `uploadId` and `tiles`.',
})
export class RegisterSceneInput {
  @Field(() => String, { nullable: true, description: 'Path of a file on the server, inside one of its scene roots.' })
  path?: string;

  @Field(() => String, { nullable: true, description: 'Address of a file: `https://…` or `s3://bucket/key`.' })
  url?: string;

  @Field(() => ID, { nullable: true, description: 'Identifier of a finished upload.' })
  uploadId?: string;

  @Field(() => TileSourceInput, { nullable: true, description: 'Part of a tile service (XYZ, TMS or WMTS).' })
  tiles?: TileSourceInput;

  @Field(() => [Float], {
    nullable: true,
    description: 'Corners of an image without georeference: [west, south, east, north], WGS 84 degrees.',
  })
  bounds?: number[];

  @Field(() => [Int], {
    nullable: true,
    description: 'Band numbers, from 1, to show the model as red, green and blue.',
  })
  bands?: number[];

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the image was taken; read from the file by default.',
  })
  acquiredAt?: Date;

  @Field(() => String, { nullable: true, description: 'Name of the scene; the file name by default.' })
  name?: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When to delete the scene with everything found in it; as the service is set up by default.',
  })
  keepUntil?: Date;
}

@InputType('DateTimeRange', { description: 'A range of instants, both ends included.' })
export class DateTimeRangeInput {
  @Field(() => DateTimeScalar, { nullable: true, description: 'Earliest instant; unbounded by default.' })
  from?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Latest instant; unbounded by default.' })
  to?: Date;
}

@InputType('SceneFilter', { description: 'Conditions on scenes; all of them must hold.' })
export class SceneFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the name, ignoring case.' })
  name?: string;

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Geometry that the footprint intersects.' })
  intersects?: object;

  @Field(() => DateTimeRangeInput, {
    nullable: true,
    description: 'When the image was taken; scenes without a date never match.',
  })
  acquired?: DateTimeRangeInput;
}
