import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import { AppError } from '../../errors.ts';
import type { RequestContext } from '../context.ts';
import { refusal } from './format-error.ts';
import { checkTexts, checkValue } from '../request-shape.ts';

/** A subscription came by an ordinary request, which has one answer. */
export class SubscriptionNeedsWebSocketError extends AppError {
  readonly code = 'SUBSCRIPTION_NEEDS_WEBSOCKET';
  constructor(name: string | null) {
    super(
      `Subscription ${name ?? 'without a name'} cannot be answered by POST; use WebSocket (graphql-transport-ws) at the same address.`,
    );
  }
}

/** Refuses operations with values that nothing behind this point could work with. */
export const requestShapePlugin: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ document, operation, operationName, request }) {
        try {
          checkTexts(document);
          checkValue(request.variables ?? {}, 'variables');
          if (operation?.operation === OperationTypeNode.SUBSCRIPTION) {
            throw new SubscriptionNeedsWebSocketError(operationName);
          }
        } catch (error) {
          throw error instanceof AppError ? refusal(error) : error;
        }
      },
    };
  },
};
