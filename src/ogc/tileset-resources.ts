import { objectAnswer, type OgcRequest, type OgcResource } from './answer.ts';
import type { Collections } from './collections.ts';
import { ItemNotFoundError } from './errors.ts';
import type { ItemCollection } from './item-collection.ts';
import { readParameters } from './item-request.ts';
import { tileMatrixSet, tileMatrixSets, tileset, tilesets } from './tiles.ts';

/** Documents that say where the tiles of collections are. @see OGC 20-057, OGC API - Tiles */
export function tilesetResources(collectionsOf: (request: OgcRequest) => Collections): OgcResource[] {
  const resource = (path: string, make: (request: OgcRequest) => Promise<object>): OgcResource => ({
    path,
    methods: {
      GET: async (request) => {
        readParameters(request.query, ['f']);
        const document = await make(request);
        return objectAnswer(request.address, 'Tiles', () => document);
      },
    },
    takesFilter: false,
  });
  const tiled = async (request: OgcRequest): Promise<ItemCollection> => {
    const collection = await collectionsOf(request).require(request.names['collectionId']!);
    if (collection.tilesQuery === null) throw new ItemNotFoundError(collection.id, 'tiles');
    return collection;
  };
  return [
    resource('/tileMatrixSets', async ({ address }) => tileMatrixSets(address)),
    resource('/tileMatrixSets/:tileMatrixSetId', async (request) => knownSet(request)),
    resource('/collections/:collectionId/tiles', async (request) => tilesets(await tiled(request), request.address)),
    resource('/collections/:collectionId/tiles/:tileMatrixSetId', async (request) => {
      knownSet(request);
      return tileset(await tiled(request), request.address);
    }),
  ];
}

/** @throws {ItemNotFoundError} for another set than WebMercatorQuad */
function knownSet({ names }: OgcRequest): object {
  const id = names['tileMatrixSetId']!;
  const found = tileMatrixSet(id);
  if (!found) throw new ItemNotFoundError('tileMatrixSets', id);
  return found;
}
