import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/** Standard input and output as a transport, which ends with its input or with the signal. */
export function openStdio(signal: AbortSignal): StdioServerTransport {
  const transport = new StdioServerTransport();
  const close = (): void => void transport.close();
  process.stdin.once('end', close);
  process.stdin.once('close', close);
  signal.addEventListener('abort', close, { once: true });
  return transport;
}
