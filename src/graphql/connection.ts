import { type ClassType, Field, Int, InterfaceType, ID, ObjectType } from 'type-graphql';
import type { Page } from '../page.ts';

/** Type of a node, recognised by a property that only that type has. */
function nodeTypeName(node: object): 'Scene' | 'Segmentation' | 'Feature' | 'View' | 'Job' {
  if ('failedScenes' in node) return 'Job';
  if ('slug' in node) return 'View';
  if ('prompt' in node) return 'Segmentation';
  return 'segmentationId' in node ? 'Feature' : 'Scene';
}

/** Everything with a global identifier. */
@InterfaceType('Node', { resolveType: nodeTypeName, description: 'An object with a global identifier.' })
export abstract class NodeType {
  @Field(() => ID, { description: 'Global identifier.' })
  readonly id!: string;
}

@ObjectType('PageInfo', {
  description: 'Position of a page in its list, as defined by the Relay connection specification.',
})
export class PageInfoType {
  @Field(() => Boolean, { description: 'Whether more nodes follow this page.' })
  readonly hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether nodes precede this page.' })
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first node; null on an empty page.' })
  readonly startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last node; null on an empty page.' })
  readonly endCursor!: string | null;
}

/** A page in the shape of the Relay connection specification. */
export interface Connection<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly nodes: readonly T[];
  /** Null where the operation does not select it. */
  readonly pageInfo: PageInfoType | null;
  /** Counted on first read, so that operations that do not select it do not pay for it. */
  readonly totalCount: Promise<number>;
}

/**
 * @param page what the store gave
 * @param count of the nodes on all pages; called once, if selected
 */
export function toConnection<T>(page: Page<T>, count: () => Promise<number>): Connection<T> {
  const { edges } = page;
  let counted: Promise<number> | undefined;
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: pageInfoOf(page),
    get totalCount() {
      return (counted ??= count());
    },
  };
}

export function pageInfoOf({ edges, hasNextPage, hasPreviousPage }: Page<unknown>): PageInfoType {
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
}

/**
 * The GraphQL types of a list of nodes.
 * @param name of the node type; gives `<name>Edge` and `<name>Connection`
 * @see https://relay.dev/graphql/connections.htm
 */
export function connectionTypes<T extends object>(name: string, nodeType: () => ClassType<T>) {
  @ObjectType(`${name}Edge`, { description: `A ${name.toLowerCase()} in a list.` })
  class Edge {
    @Field(() => nodeType(), { description: 'The node.' })
    readonly node!: T;

    @Field(() => String, { description: 'Cursor of the node, for `after` and `before`.' })
    readonly cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name.toLowerCase()}s.` })
  class Connected {
    @Field(() => [Edge], { description: 'Nodes of the page with their cursors.' })
    readonly edges!: Edge[];

    @Field(() => [nodeType()], { description: 'Nodes of the page.' })
    readonly nodes!: T[];

    @Field(() => PageInfoType, { description: 'Position of the page in the list.' })
    readonly pageInfo!: PageInfoType;

    @Field(() => Int, { description: 'Number of nodes on all pages.' })
    readonly totalCount!: number;
  }

  return Connected;
}
