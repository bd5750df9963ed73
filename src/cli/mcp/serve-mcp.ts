import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { GraphQLError, Kind, OperationTypeNode, parse } from 'graphql';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { Service } from '../application/ask.ts';
import { errorLine } from '../terminal/terminal.ts';
import { TOOLS } from './tools.ts';

/** What a server of the Model Context Protocol may do. */
export interface McpOptions {
  readonly version: string;
  /** Whether it offers tools that change what is stored, and mutations. */
  readonly allowWrites: boolean;
}

/** An operation that the options do not allow, or that is not GraphQL. */
export class OperationNotOfferedError extends AppError {
  readonly code = 'OPERATION_NOT_OFFERED';
}

/**
 * Offers a service to language models, until the transport is closed.
 * @see https://modelcontextprotocol.io/specification
 */
export async function serveMcp(
  service: Pick<Service, 'ask'>,
  transport: Parameters<McpServer['connect']>[0],
  options: McpOptions,
): Promise<void> {
  const server = new McpServer(
    { name: 'terraql', version: options.version },
    {
      instructions:
        'Polygons that a vision model found in satellite and aerial images. List scenes, then look at features and statistics; coordinates are WGS 84 longitude and latitude, areas square metres.',
    },
  );
  for (const { name, title, description, writes, input, document } of TOOLS) {
    if (writes && !options.allowWrites) continue;
    const annotations = { title, readOnlyHint: !writes, destructiveHint: false, openWorldHint: writes };
    server.registerTool(name, { title, description, inputSchema: input, annotations }, (variables) =>
      answered(service.ask(Data, document, variables)),
    );
  }
  server.registerTool(
    'query',
    {
      title: 'Run GraphQL',
      description: `Runs a GraphQL ${options.allowWrites ? 'query or mutation' : 'query'}; GET /schema.graphql of the service has its schema.`,
      inputSchema: {
        document: z.string().describe('GraphQL with one operation.'),
        variables: z.record(z.string(), z.unknown()).optional(),
      },
      annotations: { title: 'Run GraphQL', readOnlyHint: !options.allowWrites, destructiveHint: options.allowWrites },
    },
    ({ document, variables = {} }) =>
      answered(Promise.resolve().then(() => service.ask(Data, offered(document, options), variables))),
  );
  const closed = new Promise<void>((resolve) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a property of the protocol's class, which has no listeners
    server.server.onclose = resolve;
  });
  await server.connect(transport);
  await closed;
}

const Data = z.record(z.string(), z.unknown());

/** @throws {OperationNotOfferedError} */
function offered(document: string, { allowWrites }: McpOptions): string {
  for (const definition of definitionsOf(document)) {
    if (definition.kind !== Kind.OPERATION_DEFINITION || definition.operation === OperationTypeNode.QUERY) continue;
    if (definition.operation === OperationTypeNode.MUTATION && allowWrites) continue;
    throw new OperationNotOfferedError(
      definition.operation === OperationTypeNode.MUTATION
        ? 'Mutations change what is stored; start terraql mcp with --allow-writes to allow them.'
        : 'Subscriptions are not answered here.',
    );
  }
  return document;
}

function definitionsOf(document: string) {
  try {
    return parse(document, { maxTokens: 10_000 }).definitions;
  } catch (error) {
    if (error instanceof GraphQLError) throw new OperationNotOfferedError(error.message, { cause: error });
    throw error;
  }
}

/** The answer as a tool gives it; what the service refuses is for the model to read and to mend. */
async function answered(data: Promise<Record<string, unknown>>): Promise<CallToolResult> {
  try {
    const structuredContent = await data;
    return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { isError: true, content: [{ type: 'text', text: `${error.code}: ${errorLine(error)}` }] };
  }
}
