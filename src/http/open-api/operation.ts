/** A JSON Schema of draft 2020-12, or a reference to one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter of OpenAPI. */
export type Parameter = Readonly<Record<string, unknown>> & { readonly name: string; readonly in: string };

/** An answer of OpenAPI. */
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** What a route does by one method; who may use it, and what every route answers, come from its rule. */
export interface DescribedOperation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it, with `{name}` where Express has `:name`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  /** By status, besides errors. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Statuses of the errors that not every route has. */
  readonly errors?: readonly number[];
}

export const JSON_TYPE = 'application/json';
export const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const TEXT: Schema = { type: 'string' };

export const inPath = (name: string, description: string, schema: Schema = TEXT): Parameter => ({
  name,
  in: 'path',
  description,
  required: true,
  schema,
});
export const inQuery = (name: string, description: string, schema: Schema = TEXT): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});
/** A parameter whose text is JSON. */
export const jsonInQuery = (name: string, description: string, schema: Schema): Parameter => ({
  name,
  in: 'query',
  description,
  content: { [JSON_TYPE]: { schema } },
});
export const jsonBody = (schema: Schema, required = true): object => ({
  required,
  content: { [JSON_TYPE]: { schema } },
});

/** An answer of one media type or several. */
export const answer = (description: string, types: Readonly<Record<string, Schema>>): Answer => ({
  description,
  content: Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }])),
});
/** An answer whose bytes are no JSON. */
export const binary = (description: string, ...types: readonly string[]): Answer =>
  answer(description, Object.fromEntries(types.map((type) => [type, {}])));

/** Answers to clients that have the version at hand already, or ask for a part of it. */
export const UNCHANGED: Readonly<Record<string, Answer>> = {
  '304': { description: 'The client has this version already (If-None-Match).' },
};
export const RANGED: Readonly<Record<string, Answer>> = {
  ...UNCHANGED,
  '206': { description: 'The part that the header Range asks for.' },
  '416': { description: 'The file has no such part.' },
};
