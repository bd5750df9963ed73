import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types of the dashboard's documents, from the schema that the service prints: an unknown field or filter key fails. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: ['src/dashboard/**/*documents.ts'],
  generates: {
    'src/dashboard/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
        avoidOptionals: false,
        scalars: {
          DateTime: 'string',
          GeoJSONGeometry: { input: "import('geojson').Geometry", output: "import('geojson').Geometry" },
          GeoJSONFeatureCollection: "import('geojson').FeatureCollection",
          JSON: 'unknown',
        },
      },
    },
  },
  config: { importExtension: '.ts', emitLegacyCommonJSImports: false },
};

export default config;
