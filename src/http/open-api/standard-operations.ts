import { openApi as openApiOfOgc } from '../../ogc/open-api.ts';
import { openApi as openApiOfStac } from '../../stac/open-api.ts';
import {
  type Answer,
  type DescribedOperation,
  jsonBody,
  type Parameter,
  reference,
  type Schema,
  UNCHANGED,
} from './operation.ts';

/** An operation as the documents at `/ogc/api` and `/stac/api` have it. */
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Largest page, and base and version, which the operations do not have. */
const documents = (maxLimit: number) => [
  { prefix: '/ogc', tag: 'OGC API', document: openApiOfOgc({ base: '', version: '', maxLimit }) as Document },
  { prefix: '/stac', tag: 'STAC API', document: openApiOfStac('', '') as Document },
];

/** OGC API and STAC API, from the documents that they publish themselves. @param maxLimit largest page of items */
export function standardOperations(maxLimit: number): DescribedOperation[] {
  return documents(maxLimit).flatMap(({ prefix, tag, document }) =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) =>
        described(
          method.toUpperCase() as DescribedOperation['method'],
          `${prefix}${path.replace(/^\/$/, '')}`,
          tag,
          operation,
        ),
      ),
    ),
  );
}

/** Schemas that the answers refer to, as OpenAPI 3.1 has them; errors are the same everywhere. */
export function standardSchemas(maxLimit: number): Record<string, Schema> {
  const all = documents(maxLimit).flatMap(({ document }) => Object.entries(document.components.schemas));
  const answered = all.filter(([name]) => name !== 'error');
  return Object.fromEntries(answered.map(([name, schema]) => [name, withoutNullable(schema) as Schema]));
}

function described(
  method: DescribedOperation['method'],
  path: string,
  tag: string,
  operation: Operation,
): DescribedOperation {
  const { operationId, summary, parameters, requestBody, responses } = withoutNullable(operation) as Operation;
  const answers = Object.entries(responses).filter(([status]) => status < '400');
  const isExecution = path.endsWith('/execution');
  return {
    method,
    path,
    operationId,
    summary,
    tag,
    ...(parameters ? { parameters } : {}),
    ...(requestBody ? { requestBody: isExecution ? jsonBody(reference('Execution')) : requestBody } : {}),
    answers: { ...Object.fromEntries(answers), ...(method === 'GET' ? UNCHANGED : {}) },
    errors: method === 'POST' ? [...EXECUTION_ERRORS] : [404, 422],
  };
}

/** What a question can be refused for, the scene that cannot be read included. */
const EXECUTION_ERRORS = [404, 409, 410, 413, 415, 422, 507] as const;

/** OpenAPI 3.0 says `nullable`, JSON Schema has a type for it. */
function withoutNullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullable);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, ...others } = value as Readonly<Record<string, unknown>>;
  const plain = Object.fromEntries(Object.entries(others).map(([name, part]) => [name, withoutNullable(part)]));
  return nullable === true ? { ...plain, type: [plain['type'], 'null'] } : plain;
}
