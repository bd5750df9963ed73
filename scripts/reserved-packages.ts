/** Packages that belong to some layers: no other layer imports them. A name that ends in `/` stands for its scope. */
export const RESERVED: readonly { readonly packages: readonly string[]; readonly layers: readonly string[] }[] = [
  {
    packages: ['graphql'],
    layers: ['cli/mcp', 'http', 'http/open-api', 'graphql/server', 'graphql', 'graphql/text-answer'],
  },
  { packages: ['type-graphql', 'dataloader'], layers: ['graphql'] },
  { packages: ['@apollo/'], layers: ['app.ts', 'http', 'graphql/server', 'graphql/text-answer'] },
  { packages: ['@escape.tech/', 'graphql-query-complexity'], layers: ['graphql/server', 'graphql'] },
  { packages: ['express'], layers: ['http', 'http/headers', 'http/telemetry', 'model-server'] },
  { packages: ['jose', 'rate-limiter-flexible'], layers: ['identity'] },
  { packages: ['ws', 'graphql-ws'], layers: ['cli/application', 'http'] },
  { packages: ['@modelcontextprotocol/'], layers: ['cli/mcp'] },
  { packages: ['commander', 'cli-progress', 'cli-table3'], layers: ['cli', 'cli/terminal'] },
  { packages: ['@prisma/', '@electric-sql/', 'pg'], layers: ['database', 'database/generated'] },
  { packages: ['onnxruntime-node', '@huggingface/'], layers: ['inference'] },
  { packages: ['@aws-sdk/'], layers: ['remote'] },
  { packages: ['sharp'], layers: ['decoding', 'imagery', 'imagery/codec', 'rendering', 'evaluation'] },
  { packages: ['prom-client'], layers: ['telemetry', 'model-server'] },
  { packages: ['@opentelemetry/'], layers: ['telemetry'] },
  { packages: ['gdal3.js'], layers: ['imagery/crs'] },
  { packages: ['geotiff'], layers: ['imagery', 'imagery/codec'] },
];
