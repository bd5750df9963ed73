import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents of the client, and every type of the schema for documents of its users. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: ['clients/typescript/src/documents.graphql'],
  generates: {
    'clients/typescript/src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
        scalars: {
          DateTime: 'string',
          GeoJSONGeometry: { input: "import('geojson').Geometry", output: "import('geojson').Geometry" },
          GeoJSONFeatureCollection: "import('geojson').FeatureCollection",
          JSON: 'unknown',
        },
      },
    },
  },
};

export default config;
