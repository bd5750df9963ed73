import { z } from 'zod';

/** A row count, cast to `float8` in the statement. */
export const CountRow = z.object({ count: z.number() });
/** Row counts by owner. */
export const OwnedCountRow = CountRow.extend({ ownerId: z.string() });
