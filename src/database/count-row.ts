import { z } from 'zod';

/** A number of rows, cast to `float8` in the statement. */
export const CountRow = z.object({ count: z.number() });
/** A number of rows of each of several owners. */
export const OwnedCountRow = CountRow.extend({ ownerId: z.string() });
