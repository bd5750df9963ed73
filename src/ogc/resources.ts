import { type OgcHandler, type OgcRequest, objectAnswer, type OgcResource } from './answer.ts';
import { Collections } from './collections.ts';
import { globalCrs } from './crs.ts';
import { collectionDocument, CONFORMANCE, landingPage } from './documents.ts';
import { collectionList } from './html-pages.ts';
import { itemResources } from './item-resources.ts';
import { readLimit, readParameters } from './item-request.ts';
import { JSON_TYPE, type Link, OPENAPI_TYPE, SCHEMA_TYPE, withParameters } from './links.ts';
import { openApi } from './open-api.ts';
import { type ProcessOptions, processResources } from './process-resources.ts';
import { itemSchema, queryablesSchema } from './schemas.ts';
import { tilesetResources } from './tileset-resources.ts';

/** What of the service OGC API depends on. */
export interface OgcOptions extends ProcessOptions {
  /** Vertices of a geometry in a request. */
  readonly maxVertices: number;
}

/** Of the description of the API, which grows with the API. */
const API_VERSION = '1.0.0';
const COLLECTIONS_OF_A_PAGE = 100;
const MAX_COLLECTIONS = 1000;

/**
 * Everything that `/ogc` answers: OGC API - Features, Parts 1 to 3 and 5, the documents of Tiles, and Processes.
 * @see https://docs.ogc.org/is/17-069r4/17-069r4.html
 */
export function ogcResources(options: OgcOptions): OgcResource[] {
  const collectionsOf = ({ services }: OgcRequest): Collections => new Collections(services, options);
  const document = (path: string, answer: OgcHandler): OgcResource => ({
    path,
    methods: { GET: answer },
    takesFilter: false,
  });
  const plain = (path: string, answer: OgcHandler): OgcResource =>
    document(path, async (request) => {
      readParameters(request.query, ['f']);
      return answer(request);
    });
  return [
    plain('', async ({ address }) => objectAnswer(address, 'TerraQL', (self) => landingPage(address.base, self))),
    plain('/conformance', async ({ address }) =>
      objectAnswer(address, 'Conformance', (links) => ({ conformsTo: CONFORMANCE, links })),
    ),
    plain('/api', async ({ address }) => {
      const api = openApi({ base: address.base, version: API_VERSION, maxLimit: options.maxPage });
      return objectAnswer(address, 'API', () => api, OPENAPI_TYPE);
    }),
    document('/collections', async (request) => listCollections(request, collectionsOf(request))),
    plain('/collections/:collectionId', async (request) => {
      const { address, services, names } = request;
      const collection = await collectionsOf(request).require(names['collectionId']!);
      const context = { ...address, extent: await services.scenes.extent() };
      return objectAnswer(address, collection.title, (self) => collectionDocument(collection, context, self));
    }),
    ...[queryablesSchema, itemSchema].map((schemaOf) => {
      const name = schemaOf === itemSchema ? 'schema' : 'queryables';
      return plain(`/collections/:collectionId/${name}`, async (request) => {
        const collection = await collectionsOf(request).require(request.names['collectionId']!);
        const { address } = request;
        const make = (): object => schemaOf(address.self, collection);
        return objectAnswer(address, `${collection.title}: ${name}`, make, SCHEMA_TYPE);
      });
    }),
    ...itemResources(collectionsOf, options.maxPage),
    ...tilesetResources(collectionsOf),
    ...processResources(options),
  ];
}

async function listCollections({ query, address, services }: OgcRequest, all: Collections) {
  const parameters = readParameters(query, ['f', 'limit', 'after']);
  const limit = Math.min(readLimit(parameters['limit'], COLLECTIONS_OF_A_PAGE), MAX_COLLECTIONS);
  const { collections, next } = await all.page(parameters['after'] ?? null, limit);
  const context = { ...address, extent: await services.scenes.extent() };
  const documents = collections.map((collection) => collectionDocument(collection, context));
  const crs = await globalCrs();
  return objectAnswer(
    address,
    'Collections',
    (self) => ({ links: [...self, ...nextLink(address.self, next)], crs, collections: documents }),
    JSON_TYPE,
    () => collectionList(collections, address.base),
  );
}

function nextLink(self: string, after: string | null): Link[] {
  if (after === null) return [];
  return [{ href: withParameters(self, { after }), rel: 'next', type: JSON_TYPE, title: 'Next page' }];
}
