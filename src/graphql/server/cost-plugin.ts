import type { ApolloServerPlugin, GraphQLRequestContextDidResolveOperation } from '@apollo/server';
import { GraphQLError, getVariableValues, TypeInfo, ValidationContext } from 'graphql';
import { createComplexityRule, fieldExtensionsEstimator } from 'graphql-query-complexity';
import { AppError, BadInputError } from '../../errors.ts';
import { OperationTooCostlyError } from '../../feature/filter-cost.ts';
import type { Budget, RateLimits } from '../../identity/rate-limits.ts';
import type { RequestContext } from '../context.ts';
import { argumentsEstimator } from '../cost.ts';
import { refusal } from './format-error.ts';

/** Refuses operations that cost more than `maxCost`, and reports the cost in `extensions.cost`. */
export function costPlugin(maxCost: number, rates: Pick<RateLimits, 'take'>): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      let cost: number | null = null;
      let budget: Budget | null = null;
      return {
        async didResolveOperation(resolved) {
          cost = costOf(resolved);
          if (cost !== null && cost > maxCost) throw refusal(new OperationTooCostlyError(cost, maxCost));
          try {
            budget = await rates.take('cost', resolved.contextValue.viewer.workspace, cost ?? 0);
          } catch (error) {
            throw error instanceof AppError ? refusal(error, 429) : error;
          }
        },
        async willSendResponse({ response: { body } }) {
          if (body.kind !== 'single' || cost === null) return;
          const { singleResult } = body;
          singleResult.extensions = {
            ...singleResult.extensions,
            cost: { requested: cost, maximum: maxCost, ...leftOf(budget) },
          };
        },
      };
    },
  };
}

/** What is left of the cost of this minute, and when all of it is back. */
function leftOf(budget: Budget | null): object {
  if (!budget) return {};
  const { maximum: perMinute, available, resetS } = budget;
  return { perMinute, available, resetS };
}

const ESTIMATORS = [fieldExtensionsEstimator(), argumentsEstimator];

/** An operation and what it is given. */
type CostedOperation = Pick<
  GraphQLRequestContextDidResolveOperation<RequestContext>,
  'schema' | 'document' | 'operation' | 'request'
>;

/** @returns null where the operation does not run at all: unknown, or with variables that are not of their types */
export function costOf({ schema, document, operation, request }: CostedOperation): number | null {
  if (!operation) return null;
  const variables = request.variables ?? {};
  try {
    const errors: GraphQLError[] = [];
    const validation = new ValidationContext(
      schema,
      document,
      new TypeInfo(schema),
      (error) => void errors.push(error),
    );
    const rule = createComplexityRule({ maximumComplexity: Infinity, estimators: ESTIMATORS, variables })(validation);
    // Only this operation; `getComplexity` would walk the whole document.
    rule.onOperationDefinitionEnter(operation);
    if (errors[0]) throw errors[0];
    return rule.complexity;
  } catch (error) {
    // Looked at after the fact, as the variables of an operation that runs are coerced twice already.
    if (getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors) return null;
    if (error instanceof GraphQLError) throw refusal(new BadInputError(error.message, { cause: error }));
    throw error;
  }
}
