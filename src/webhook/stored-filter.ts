import { z } from 'zod';
import { type RequestedFilter, storedFilter } from '../feature/check-filter.ts';

/** A filter as it is stored; it was checked by the schema's types and by the filter's own rules before. */
export const StoredFilter = z
  .record(z.string(), z.unknown())
  .transform((filter): RequestedFilter => storedFilter(filter as RequestedFilter));
