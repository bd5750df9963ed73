import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import type { Viewer } from '../../identity/viewer.ts';
import { checkRoles } from '../allowed-to.ts';
import type { RequestContext } from '../context.ts';
import { OperationTooCostlyError } from '../../feature/filter-cost.ts';
import { costOf } from './cost-plugin.ts';
import { checkDocumentText, checkTexts, checkValue, MAX_TOKENS } from '../request-shape.ts';
import { formatError, refusal } from './format-error.ts';
import { type GraphqlOptions, limitRules } from './server.ts';

/** A subscription as a client sends it. */
export interface SubscriptionRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly operationName?: string | null | undefined;
}

/** A request that passed the checks. Each answer gets a new context, since loaded rows grow stale. */
export type CheckedSubscription = ExecutionArgs & {
  readonly contextValue: () => RequestContext;
  /** Taken when it begins. */
  readonly cost: number;
};

/** Answers until the subscription ends or its reader returns. */
export type SubscriptionAnswers = AsyncIterableIterator<ExecutionResult>;

/** Runs subscriptions over any kind of connection, under the limits of the other operations. */
export class Subscriptions {
  private readonly formatted: (error: GraphQLError) => GraphQLError;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly options: GraphqlOptions,
    logger: Logger,
  ) {
    const format = formatError(logger);
    this.formatted = (error) => {
      const { message, extensions } = format(error.toJSON(), error);
      return new GraphQLError(message, {
        nodes: error.nodes ?? null,
        path: error.path ?? null,
        extensions: extensions ?? null,
      });
    };
  }

  /** @returns why it is refused, or the request for {@link subscribe} */
  check(
    { query, variables, operationName }: SubscriptionRequest,
    viewer: Viewer,
    contextOf: () => RequestContext,
  ): readonly GraphQLError[] | CheckedSubscription {
    const document = this.parsed(query, variables);
    if (Array.isArray(document)) return document;
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) {
      const kind = operation ? `a ${operation.operation}` : 'an operation that is not named';
      return [
        coded(
          new GraphQLError(`Only subscriptions can be sent here; send ${kind} by POST to /graphql.`),
          'NOT_SUBSCRIPTION',
        ),
      ];
    }
    try {
      checkRoles(this.schema, document, operation, viewer, this.options.refusals);
    } catch (error) {
      if (error instanceof AppError) return [refusal(error)];
      throw error;
    }
    const request = { query, ...(variables ? { variables } : {}) };
    const cost = costOf({ schema: this.schema, document, operation, request });
    if (cost !== null && cost > this.options.maxCost) {
      return [refusal(new OperationTooCostlyError(cost, this.options.maxCost))];
    }
    const refused = this.options.persisted?.refusalOf(query, operation.name?.value ?? null);
    if (refused) return [refusal(refused)];
    return {
      schema: this.schema,
      document,
      variableValues: variables,
      operationName,
      contextValue: contextOf,
      cost: cost ?? 0,
    };
  }

  /** Begins a subscription. @returns its answers, or the errors that refuse it */
  async subscribe(request: CheckedSubscription): Promise<SubscriptionAnswers | ExecutionResult> {
    const refused = await this.refusedBudget(request);
    if (refused) return this.formattedResult({ errors: [refused] });
    const stream = await createSourceEventStream({ ...request, contextValue: request.contextValue() });
    if (!(Symbol.asyncIterator in stream)) return this.formattedResult(stream);
    const events: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
    const ended = async (): Promise<IteratorReturnResult<undefined>> => {
      await events.return?.();
      return { done: true, value: undefined };
    };
    // Not a generator function, which could not be ended while it waits for the next event.
    const answers: SubscriptionAnswers = {
      [Symbol.asyncIterator]: () => answers,
      next: async () => {
        const { done, value } = await events.next();
        if (done) return { done, value: undefined };
        const result = await execute({ ...request, rootValue: value, contextValue: request.contextValue() });
        return { done: false, value: this.formattedResult(result) };
      },
      return: ended,
    };
    return answers;
  }

  /** @returns why the workspace may ask no more in this minute; null when it may */
  private async refusedBudget({ contextValue, cost }: CheckedSubscription): Promise<GraphQLError | null> {
    const { workspace } = contextValue().viewer;
    try {
      await this.options.rates.take('requests', workspace, 1);
      await this.options.rates.take('cost', workspace, cost);
      return null;
    } catch (error) {
      if (error instanceof AppError) return refusal(error, 429);
      throw error;
    }
  }

  private parsed(query: string, variables: unknown): DocumentNode | GraphQLError[] {
    let document: DocumentNode;
    try {
      checkDocumentText(query);
      checkValue(variables, 'variables');
      document = parse(query, { maxTokens: MAX_TOKENS });
      checkTexts(document);
    } catch (error) {
      if (error instanceof AppError) return [refusal(error)];
      return [coded(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
    }
    const errors = validate(this.schema, document, [...specifiedRules, ...limitRules(this.options)]);
    return errors.length > 0 ? errors.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED')) : document;
  }

  private formattedResult(result: ExecutionResult): ExecutionResult {
    return result.errors ? { ...result, errors: result.errors.map(this.formatted) } : result;
  }
}

function coded(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions } = error;
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    extensions: { code },
  });
}
