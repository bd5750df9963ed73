import { graphql } from '../generated/gql.ts';

/** What administrators ask. */

export const KEYS = graphql(`
  query Keys {
    apiKeys {
      id
      name
      prefix
      role
      createdAt
      expiresAt
      lastUsedAt
      revokedAt
    }
  }
`);

export const CREATE_KEY = graphql(`
  mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      secret
      key {
        id
      }
    }
  }
`);

export const REVOKE_KEY = graphql(`
  mutation RevokeKey($id: ID!) {
    revokeApiKey(id: $id) {
      id
    }
  }
`);

export const QUOTAS = graphql(`
  query Quotas {
    quotas {
      name
      maximum
      byDefault
      isSet
      used
    }
  }
`);

export const SET_QUOTAS = graphql(`
  mutation SetQuotas($input: QuotasInput!) {
    setQuotas(input: $input) {
      name
    }
  }
`);

export const USAGE = graphql(`
  query Usage($from: DateTime!, $to: DateTime!, $groupBy: [UsageGrouping!]!) {
    usage(from: $from, to: $to, groupBy: $groupBy) {
      from
      model
      requests
      cost
      windows
      modelS
      areaKm2
      bytesStored
      bytesSent
    }
  }
`);

export const AUDIT = graphql(`
  query Audit($filter: AuditFilter, $after: String) {
    audit(filter: $filter, first: 50, after: $after) {
      nodes {
        id
        at
        subject
        action
        target
        requestId
        address
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`);
