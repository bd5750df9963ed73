import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Router } from 'express';
import { parseTile } from '../tiles/tile-grid.ts';
import { type Asked, DOCUMENT_COST, type Outlet, PICTURE_COST } from './outlet.ts';
import { digestOf, REVALIDATED } from './stored-file.ts';
import { tileJson } from '../tiles/tile-json.ts';
import { VECTOR_LAYERS } from '../tiles/vector-layers.ts';
import { requestedFeatures } from './view-parameter.ts';

type TileParameters = Readonly<{ z: string; x: string; y: string }>;

const compressed = promisify(gzip);
/** Smaller tiles gain nothing by compression. */
const COMPRESSED_FROM_BYTES = 1000;
const FILTER_ALONE = { members: ['filter'] } as const;
const MVT = 'application/vnd.mapbox-vector-tile';

/**
 * `GET /tiles/features/{z}/{x}/{y}.mvt` and its TileJSON `/tiles/features.json`: features that match `filter`, or the saved
 * view that `view` names, as Mapbox vector tiles. `r` is any text: another one makes another address of the same tile.
 * @see https://github.com/mapbox/vector-tile-spec/tree/master/2.1
 * @see https://github.com/mapbox/tilejson-spec/tree/master/3.0.0
 */
export function tileRoutes(outlet: Outlet): Router {
  const router = Router();
  router.use(
    outlet.resource<TileParameters>('/tiles/features/:z/:x/:y.mvt', {
      role: 'viewer',
      cost: PICTURE_COST,
      methods: { GET: (asked) => sendFeatureTile(outlet, asked) },
      takesFilter: false,
    }),
  );
  router.use(
    outlet.resource<Record<string, string>>('/tiles/features.json', {
      role: 'viewer',
      cost: DOCUMENT_COST,
      methods: { GET: (asked) => sendTileJson(outlet, asked) },
      takesFilter: false,
    }),
  );
  return router;
}

async function sendFeatureTile(outlet: Outlet, asked: Asked<TileParameters>): Promise<void> {
  const { services, request, response } = asked;
  const { z, x, y } = request.params;
  const tile = parseTile(z, x, y);
  const { bytes } = await services.featureTiles.tile(
    tile,
    (await requestedFeatures(outlet, asked, FILTER_ALONE)).filter,
  );
  const sent = sentFormsOf(bytes);
  // Weak, as the compressed and the plain tile share it.
  response.set('ETag', sent.etag).set('Cache-Control', REVALIDATED).vary('Accept-Encoding');
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  response.set('Content-Type', MVT);
  const zipped = bytes.length >= COMPRESSED_FROM_BYTES && request.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (zipped) response.set('Content-Encoding', 'gzip');
  const body = zipped ? await (sent.zipped ??= compressed(bytes, { level: 1 })) : bytes;
  response.set('Content-Length', String(body.length)).end(request.method === 'HEAD' ? undefined : body);
}

/** What is made of a tile to send it. */
interface SentForms {
  readonly etag: string;
  zipped?: Promise<Buffer>;
}

const sentForms = new WeakMap<Uint8Array, SentForms>();

/** Made once for a tile, which the cache answers with again and again. */
function sentFormsOf(bytes: Uint8Array): SentForms {
  const known = sentForms.get(bytes);
  if (known) return known;
  const made = { etag: `W/"${digestOf(bytes)}"` };
  sentForms.set(bytes, made);
  return made;
}

async function sendTileJson(outlet: Outlet, asked: Asked<Record<string, string>>): Promise<void> {
  const { request, response } = asked;
  await requestedFeatures(outlet, asked, FILTER_ALONE);
  const { r: _revision, ...others } = request.query;
  const parameters = new URLSearchParams(others as Record<string, string>).toString();
  const query = parameters === '' ? '' : `?${parameters}`;
  const tiles = outlet.linksOf(request).absolute(`/tiles/features/{z}/{x}/{y}.mvt${query}`);
  response.set('Cache-Control', REVALIDATED).json({
    ...tileJson({ name: 'TerraQL features', tiles, footprint: null, attribution: null }),
    vector_layers: VECTOR_LAYERS,
  });
}
