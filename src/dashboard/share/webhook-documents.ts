import { graphql } from '../generated/gql.ts';

/** What the dashboard asks of webhooks. */

export const WEBHOOKS = graphql(`
  query Webhooks {
    webhooks {
      id
      url
      state
    }
  }
`);

export const CREATE_WEBHOOK = graphql(`
  mutation CreateWebhook($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      secret
      webhook {
        id
      }
    }
  }
`);

export const DELETE_WEBHOOK = graphql(`
  mutation DeleteWebhook($id: ID!) {
    deleteWebhook(id: $id)
  }
`);
