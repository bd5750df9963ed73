import { type ClassType, Field, Int, InterfaceType, ID, ObjectType } from 'type-graphql';
import type { Page } from '../page.ts';

/** What kind of object a node is, told by what only that kind has. */
function nodeTypeName(node: object): 'Scene' | 'Segmentation' | 'Feature' {
  if ('prompt' in node) return 'Segmentation';
  return 'segmentationId' in node ? 'Feature' : 'Scene';
}

/** Everything that has an identifier of its own. */
@InterfaceType('Node', { description: 'An object with a global identifier.', resolveType: nodeTypeName })
export abstract class NodeType {
  @Field(() => ID)
  readonly id!: string;
}

@ObjectType('PageInfo', { description: 'Relay page information.' })
export class PageInfoType {
  @Field(() => Boolean)
  readonly hasNextPage!: boolean;

  @Field(() => Boolean)
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  readonly startCursor!: string | null;

  @Field(() => String, { nullable: true })
  readonly endCursor!: string | null;
}

/** A page in the shape of the Relay connection specification. */
export interface Connection<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly nodes: readonly T[];
  /** Null where the operation does not select it. */
  readonly pageInfo: PageInfoType | null;
  /** Counted when it is read, so that an operation which does not select it does not pay for it. */
  readonly totalCount: Promise<number>;
}

/**
 * @param page what the store gave
 * @param count of the nodes on all pages; called once, when somebody asks
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
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(() => nodeType())
    readonly node!: T;

    @Field(() => String)
    readonly cursor!: string;
  }

  @ObjectType(`${name}Connection`)
  class Connected {
    @Field(() => [Edge])
    readonly edges!: Edge[];

    @Field(() => [nodeType()])
    readonly nodes!: T[];

    @Field(() => PageInfoType)
    readonly pageInfo!: PageInfoType;

    @Field(() => Int)
    readonly totalCount!: number;
  }

  return Connected;
}
