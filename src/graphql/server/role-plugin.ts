import type { ApolloServerPlugin } from '@apollo/server';
import { AppError } from '../../errors.ts';
import type { Refusals } from '../../identity/refusals.ts';
import { checkRoles } from '../allowed-to.ts';
import type { RequestContext } from '../context.ts';
import { refusal } from './format-error.ts';

/** Refuses operations of which the viewer may not use a part, before any of it runs. */
export const rolePlugin = (refusals: Pick<Refusals, 'forbidden'>): ApolloServerPlugin<RequestContext> => ({
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, contextValue: { viewer } }) {
        try {
          if (operation) checkRoles(schema, document, operation, viewer, refusals);
        } catch (error) {
          throw error instanceof AppError ? refusal(error, 403) : error;
        }
      },
    };
  },
});
