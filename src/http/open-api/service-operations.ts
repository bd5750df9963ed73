import {
  answer,
  binary,
  type DescribedOperation,
  inPath,
  inQuery,
  JSON_TYPE,
  jsonBody,
  reference,
  UNCHANGED,
} from './operation.ts';
import { jsonInQuery, RANGED } from './operation.ts';

const GRAPHQL_TYPE = 'application/graphql-response+json';
const GRAPHQL_ANSWER = { [JSON_TYPE]: reference('GraphQLAnswer'), [GRAPHQL_TYPE]: reference('GraphQLAnswer') };
const HTML = { 'text/html': { type: 'string' } };
const OBJECT = { type: 'object' };

/** GraphQL, the state of the service, and the dashboard. */
export const SERVICE_OPERATIONS: readonly DescribedOperation[] = [
  {
    method: 'GET',
    path: '/graphql',
    operationId: 'queryByGet',
    summary: 'A GraphQL query in the URL; GraphiQL for browsers, outside production',
    tag: 'GraphQL',
    parameters: [
      inQuery('query', 'The document.'),
      inQuery('operationName', 'Operation of the document.'),
      jsonInQuery('variables', 'Values of variables.', OBJECT),
      jsonInQuery('extensions', 'Such as `persistedQuery`.', OBJECT),
    ],
    answers: { '200': answer('The answer, perhaps with errors.', { ...GRAPHQL_ANSWER, ...HTML }) },
    errors: [405, 413, 415],
  },
  {
    method: 'POST',
    path: '/graphql',
    operationId: 'query',
    summary: 'A GraphQL operation; its schema is at /schema.graphql',
    tag: 'GraphQL',
    requestBody: jsonBody(reference('GraphQLRequest')),
    answers: { '200': answer('The answer, perhaps with errors.', GRAPHQL_ANSWER) },
    errors: [413, 415],
  },
  {
    method: 'GET',
    path: '/schema.graphql',
    operationId: 'getGraphQLSchema',
    summary: 'The GraphQL schema',
    tag: 'GraphQL',
    answers: { '200': binary('The schema.', 'application/graphql; charset=utf-8'), ...RANGED },
  },
  {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This description',
    tag: 'Service',
    answers: { '200': answer('OpenAPI 3.1.', { [JSON_TYPE]: OBJECT }), ...UNCHANGED },
  },
  {
    method: 'GET',
    path: '/healthz',
    operationId: 'getHealth',
    summary: 'Whether the process answers',
    tag: 'Service',
    answers: { '200': answer('It does.', { [JSON_TYPE]: reference('Health') }) },
  },
  {
    method: 'GET',
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Whether the database answers and the model is loaded',
    tag: 'Service',
    answers: {
      '200': answer('Both.', { [JSON_TYPE]: reference('Readiness') }),
      '503': answer('Not yet, or no longer.', { [JSON_TYPE]: reference('Readiness') }),
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    operationId: 'getMetrics',
    summary: "Measures of the process in Prometheus' text format",
    tag: 'Service',
    answers: { '200': binary('The measures.', 'text/plain; version=0.0.4; charset=utf-8') },
  },
  {
    method: 'GET',
    path: '/workspaces',
    operationId: 'getWorkspaces',
    summary: "Workspaces; for commands on the server's machine alone",
    tag: 'Service',
    answers: { '200': answer('All of them.', { [JSON_TYPE]: { type: 'array', items: reference('Workspace') } }) },
  },
  {
    method: 'POST',
    path: '/workspaces',
    operationId: 'createWorkspace',
    summary: "A new workspace; for commands on the server's machine alone",
    tag: 'Service',
    requestBody: jsonBody(reference('Workspace')),
    answers: { '201': answer('It was made.', { [JSON_TYPE]: reference('Workspace') }) },
    errors: [409, 413, 415],
  },
  {
    method: 'GET',
    path: '/',
    operationId: 'getDashboard',
    summary: 'The dashboard',
    tag: 'Dashboard',
    answers: { '200': answer('The page.', HTML), ...RANGED },
    errors: [404],
  },
  {
    method: 'GET',
    path: '/dashboard.json',
    operationId: 'getDashboardSettings',
    summary: 'What the dashboard must know of the settings',
    tag: 'Dashboard',
    answers: { '200': answer('Settings.', { [JSON_TYPE]: OBJECT }) },
  },
  {
    method: 'GET',
    path: '/assets/{name}',
    operationId: 'getDashboardFile',
    summary: 'A file of the dashboard',
    tag: 'Dashboard',
    parameters: [inPath('name', 'Name of the file.')],
    answers: { '200': binary('The file.', '*/*'), ...RANGED },
    errors: [404],
  },
];
