// PostGraphile 5 with PostGIS support on the tables of DATABASE_URL; prints its address as a line of JSON.
import { createServer } from 'node:http';
import { grafserv } from 'grafserv/node';
import postgis from 'graphile-postgis';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import filters from 'graphile-connection-filter';

/**
 * The spatial operators of graphile-postgis, added to the filters of postgraphile-plugin-connection-filter. By itself it adds
 * them to a fork of that plugin, graphile-connection-filter, which the npm registry lacks: package.json puts the plugin in
 * the place of the fork.
 */
const SpatialFiltersPlugin = {
  name: 'SpatialFiltersPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      init: {
        after: ['PostgisRegisterTypesPlugin'],
        callback(init, build) {
          for (const factory of postgis.GraphilePostgisPreset.schema.connectionFilterOperatorFactories) {
            for (const { typeNames, operatorName, spec } of factory(build)) {
              build.addConnectionFilterOperator(typeNames, operatorName, spec);
            }
          }
          return init;
        },
      },
    },
  },
};

const preset = {
  extends: [PostGraphileAmberPreset, filters.PostGraphileConnectionFilterPreset, postgis.GraphilePostgisPreset],
  plugins: [SpatialFiltersPlugin],
  // Columns without an index of their own can be filtered by too, as areas are.
  disablePlugins: ['PgIndexBehaviorsPlugin'],
  schema: { connectionFilterRelations: true },
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public'] })],
  grafserv: { watch: false, graphiql: false },
  grafast: { explain: false },
};

const instance = postgraphile(preset);
if (process.argv[2] === '--print-schema') {
  const { printSchema } = await import('graphql');
  console.log(printSchema(await instance.getSchema()));
  process.exit();
}
const server = createServer();
await instance.createServ(grafserv).addTo(server);
await instance.getSchema();
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/graphql` }));
});
