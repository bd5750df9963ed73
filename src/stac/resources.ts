import {
  jsonAnswer,
  objectAnswer,
  type OgcAnswer,
  type OgcHandler,
  type OgcRequest,
  type OgcResource,
} from '../ogc/answer.ts';
import { CollectionNotFoundError, ItemNotFoundError } from '../ogc/errors.ts';
import { readParameters } from '../ogc/item-request.ts';
import { GEOJSON_TYPE, JSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE, withParameters } from '../ogc/links.ts';
import type { Scene } from '../scene/scene.ts';
import { catalogue, CONFORMANCE, queryables, scenesCollection } from './documents.ts';
import { SCENES, stacItem } from './item.ts';
import { openApi } from './open-api.ts';
import { readSearchBody, readSearchQuery, type SearchLimits, type StacSearch } from './search.ts';

/** Of the description of the API, which grows with the API. */
const API_VERSION = '1.0.0';
/** Runs of a scene whose answers are assets, the newest. */
const ANSWERS_OF_AN_ITEM = 100;

/**
 * Everything that `/stac` answers: STAC API 1.0 with every scene as an Item and the files of its answers as assets.
 * @see https://github.com/radiantearth/stac-api-spec/tree/v1.0.0
 */
export function stacResources(limits: SearchLimits): OgcResource[] {
  const plain = (path: string, answer: OgcHandler): OgcResource => ({
    path,
    methods: {
      GET: async (request) => {
        readParameters(request.query, ['f']);
        if ('collectionId' in request.names) requireScenes(request);
        return answer(request);
      },
    },
    takesFilter: false,
  });
  const document = (title: string, make: (request: OgcRequest) => object | Promise<object>, type = JSON_TYPE) => {
    return async (request: OgcRequest): Promise<OgcAnswer> => {
      const made = await make(request);
      return objectAnswer(request.address, title, () => made, type);
    };
  };
  const collection = async ({ address, services }: OgcRequest): Promise<object> =>
    scenesCollection(address.base, await services.scenes.extent());
  return [
    plain(
      '',
      document('TerraQL', ({ address }) => catalogue(address.base)),
    ),
    plain(
      '/conformance',
      document('Conformance', () => ({ conformsTo: CONFORMANCE })),
    ),
    plain(
      '/api',
      document('API', ({ address }) => openApi(address.base, API_VERSION), OPENAPI_TYPE),
    ),
    plain(
      '/collections',
      document('Collections', async (request) => collections(request, await collection(request))),
    ),
    plain('/collections/:collectionId', document('Scenes', collection)),
    ...['', '/collections/:collectionId'].map((path) =>
      plain(
        `${path}/queryables`,
        document('Queryables', ({ address }) => queryables(address.self), SCHEMA_TYPE),
      ),
    ),
    plain('/collections/:collectionId/items/:itemId', item),
    {
      path: '/collections/:collectionId/items',
      methods: {
        GET: async (request) => {
          requireScenes(request);
          return found(request, await readSearchQuery(request.query, limits, true));
        },
      },
      takesFilter: true,
    },
    {
      path: '/search',
      methods: {
        GET: async (request) => found(request, await readSearchQuery(request.query, limits, false)),
        POST: async (request) => found(request, await readSearchBody(request.body, limits), request.body ?? {}),
      },
      takesFilter: true,
    },
  ];
}

function requireScenes({ names }: OgcRequest): void {
  const id = names['collectionId']!;
  if (id !== SCENES) throw new CollectionNotFoundError(id);
}

function collections({ address }: OgcRequest, scenes: object): object {
  const { base } = address;
  const links = [
    { rel: 'self', href: `${base}/collections`, type: JSON_TYPE },
    { rel: 'root', href: base, type: JSON_TYPE },
  ];
  return { collections: [scenes], links, numberMatched: 1, numberReturned: 1 };
}

async function item(request: OgcRequest): Promise<OgcAnswer> {
  const id = request.names['itemId']!;
  const scene = await request.services.scenes.byId(id);
  if (!scene) throw new ItemNotFoundError(SCENES, id);
  const [made] = await itemsOf([scene], request);
  return objectAnswer(request.address, scene.name, () => made!, GEOJSON_TYPE);
}

async function itemsOf(scenes: readonly Scene[], { services, address, link }: OgcRequest): Promise<object[]> {
  const ids = scenes.map(({ id }) => id);
  const answers = await services.segmentations.listOf(ids, { first: ANSWERS_OF_AN_ITEM });
  return scenes.map((scene) => {
    const runs = (answers.get(scene.id)?.edges ?? []).map(({ node }) => node);
    const succeeded = runs.filter(({ state }) => state === 'SUCCEEDED');
    return stacItem(scene, succeeded, { base: address.base, link });
  });
}

/** @param body of the request, when that is how it was made: the next page is asked for in the same way */
async function found(request: OgcRequest, search: StacSearch, body?: unknown): Promise<OgcAnswer> {
  const { services, address } = request;
  const { filter, limit, after, isNone } = search;
  const page = isNone ? null : await services.scenes.list(filter, { first: limit, after });
  const scenes = page?.edges.map(({ node }) => node) ?? [];
  const next = page?.hasNextPage ? page.edges.at(-1)!.cursor : null;
  const isWhole = page === null || (next === null && after === null);
  const document = {
    type: 'FeatureCollection',
    numberMatched: isWhole ? scenes.length : await page.totalCount(),
    numberReturned: scenes.length,
    features: await itemsOf(scenes, request),
    links: [
      { rel: 'self', href: address.self, type: GEOJSON_TYPE },
      { rel: 'root', href: address.base, type: JSON_TYPE },
      ...(next === null ? [] : [nextLink(address.self, next, body)]),
    ],
  };
  if (body !== undefined) return { ...jsonAnswer(200, document), contentType: GEOJSON_TYPE };
  return objectAnswer(address, 'Scenes', () => document, GEOJSON_TYPE);
}

function nextLink(self: string, token: string, body: unknown): object {
  if (body === undefined)
    return { rel: 'next', href: withParameters(self, { token }), type: GEOJSON_TYPE, method: 'GET' };
  return { rel: 'next', href: self, type: GEOJSON_TYPE, method: 'POST', body: { ...(body as object), token } };
}
