import type { Scene } from './scene.ts';

/** A scene as an item of a collection: what is said of it beside its footprint. */
interface SceneAttribute {
  readonly name: string;
  readonly kind: 'TEXT' | 'REAL' | 'COUNT' | 'TIME';
  readonly unit: 'm²' | 'm' | 'px' | null;
  readonly doc: string;
  readonly of: (scene: Scene) => string | number | Date | null;
}

/** The attributes of a scene in files and collections, in order. */
export const SCENE_ATTRIBUTES = [
  { name: 'id', kind: 'TEXT', unit: null, doc: 'Identifier.', of: ({ id }) => id },
  { name: 'name', kind: 'TEXT', unit: null, doc: 'Name given at registration.', of: ({ name }) => name },
  { name: 'sha256', kind: 'TEXT', unit: null, doc: 'SHA-256 of the file.', of: ({ sha256 }) => sha256 },
  { name: 'widthPx', kind: 'COUNT', unit: 'px', doc: 'Width of the image.', of: ({ widthPx }) => widthPx },
  { name: 'heightPx', kind: 'COUNT', unit: 'px', doc: 'Height of the image.', of: ({ heightPx }) => heightPx },
  { name: 'bands', kind: 'COUNT', unit: null, doc: 'Number of bands.', of: ({ bands }) => bands },
  { name: 'dtype', kind: 'TEXT', unit: null, doc: 'Sample type as stored.', of: ({ dtype }) => dtype },
  {
    name: 'nativeCrs',
    kind: 'TEXT',
    unit: null,
    doc: 'Coordinate reference system of the image; null without georeference.',
    of: ({ crs }) => crs,
  },
  { name: 'gsdM', kind: 'REAL', unit: 'm', doc: 'Metres of ground per pixel.', of: ({ gsdM }) => gsdM },
  { name: 'areaM2', kind: 'REAL', unit: 'm²', doc: 'Geodesic area of the footprint.', of: ({ areaM2 }) => areaM2 },
  {
    name: 'acquiredAt',
    kind: 'TIME',
    unit: null,
    doc: 'When the image was taken; null when unknown.',
    of: ({ acquiredAt }) => acquiredAt,
  },
  {
    name: 'createdAt',
    kind: 'TIME',
    unit: null,
    doc: 'When the scene was registered.',
    of: ({ createdAt }) => createdAt,
  },
] as const satisfies readonly SceneAttribute[];

export type SceneAttributeName = (typeof SCENE_ATTRIBUTES)[number]['name'];
