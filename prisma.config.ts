import { defineConfig } from 'prisma/config';

/** Prisma's command line only generates the client here; migrations are SQL files that src/database/migrate.ts applies. */
export default defineConfig({ schema: 'prisma/schema.prisma' });
