import type { GraphQLSchema } from 'graphql';
import { ERROR_CODES } from '../../error-codes.ts';
import type { Rule } from '../../identity/viewer.ts';
import { FILE_OPERATIONS } from './file-operations.ts';
import { type Answer, answer, type DescribedOperation, JSON_TYPE, reference } from './operation.ts';
import type { RouteRule } from './route-rule.ts';
import { bodySchemas } from './schemas.ts';
import { SERVICE_OPERATIONS } from './service-operations.ts';
import { standardOperations, standardSchemas } from './standard-operations.ts';

/** Of the description, which grows with the service. */
const API_VERSION = '1.0.0';
/** What any route may answer, and what one behind a login may besides. */
const ERRORS_OF_ALL = [400, 421, 500] as const;
const ERRORS_BEHIND_LOGIN = [401, 403, 429, 503] as const;
const OF_GRAPHQL = '/graphql';

export interface OpenApiOptions {
  readonly schema: GraphQLSchema;
  /** Largest page of items. */
  readonly maxPage: number;
}

/**
 * The HTTP API: one operation for each route and method.
 * @param rules of the routes
 * @throws {Error} for a route that nothing describes
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(rules: readonly RouteRule[], { schema, maxPage }: OpenApiOptions): object {
  const operations = [...SERVICE_OPERATIONS, ...FILE_OPERATIONS, ...standardOperations(maxPage)];
  const described = new Map(operations.map((operation) => [keyOf(operation.method, operation.path), operation]));
  const paths: Record<string, Record<string, object>> = {};
  for (const { path, methods, role } of leastRules(rules)) {
    for (const method of methods) {
      const operation = described.get(keyOf(method, templateOf(path)));
      if (!operation) throw new Error(`Nothing describes ${method} ${path}.`);
      (paths[operation.path] ??= {})[method.toLowerCase()] = operationObject(operation, role);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'TerraQL',
      version: API_VERSION,
      description:
        'Polygons that a vision model found in satellite and aerial images: GraphQL, files, map tiles, OGC API and STAC. Every route that answers GET answers HEAD and OPTIONS too.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a token of the OpenID provider.' },
      },
      schemas: { ...bodySchemas(schema), ...standardSchemas(maxPage) },
    },
  };
}

/** Templates that differ only in the names of parameters are one route. */
const keyOf = (method: string, template: string): string => `${method} ${template.replace(/\{\w+\}/g, '{}')}`;

/** `/features.:format` as `/features.{format}`; a folder of files has one parameter. */
const templateOf = (path: string): string =>
  path === '/assets' ? '/assets/{name}' : path.replace(/:(\w+)/g, (_text, name) => `{${name}}`);

/** Routes that share an address are one operation, whose rule is the one for programs. */
function leastRules(rules: readonly RouteRule[]): RouteRule[] {
  return rules.filter(({ path, role }) => path !== OF_GRAPHQL || role !== 'anyone');
}

function operationObject(operation: DescribedOperation, role: Rule): object {
  const { operationId, summary, tag, parameters, requestBody, answers, errors = [] } = operation;
  const statuses = new Set([...ERRORS_OF_ALL, ...(role === 'anyone' ? [] : ERRORS_BEHIND_LOGIN), ...errors]);
  const refusals = [...statuses].sort((a, b) => a - b).map((status) => [String(status), refusal(operation, status)]);
  return {
    operationId,
    summary,
    tags: [tag],
    ...(role === 'anyone' ? {} : { description: `Needs the role ${role}.`, security: [{}, { bearer: [] }] }),
    ...(parameters ? { parameters } : {}),
    ...(requestBody ? { requestBody } : {}),
    responses: {
      '431': { description: 'Address and headers together are too long; POST takes filters of any length.' },
      ...(Object.fromEntries(refusals) as object),
      ...answers,
    },
  };
}

/** An error, with the codes that have its status. */
function refusal({ path }: DescribedOperation, status: number): Answer {
  const codes = Object.entries(ERROR_CODES).flatMap(([code, error]) => (error.status === status ? code : []));
  const schema = reference(path === OF_GRAPHQL ? 'GraphQLAnswer' : 'Error');
  const description = codes.length > 0 ? `One of ${codes.join(', ')}.` : 'The request is refused.';
  const types = path === OF_GRAPHQL ? [JSON_TYPE, 'application/graphql-response+json'] : [JSON_TYPE];
  return answer(description, Object.fromEntries(types.map((type) => [type, schema])));
}
