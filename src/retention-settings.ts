import { z } from 'zod';
import { count, documented } from './documented-setting.ts';

const days = (description: string) =>
  documented(z.coerce.number().int().positive().optional(), { description, unit: 'days', otherwise: 'for ever' });

/** How long things are kept. */
export const RETENTION_SETTINGS = {
  TERRAQL_KEEP_IMAGES_DAYS: days(
    'How long copies of images are kept after registration. The scene and its answers stay; images that are read where they lie are not touched.',
  ),
  TERRAQL_KEEP_ANSWERS_DAYS: days('How long segmentations are kept after they end, with their masks and features.'),
  TERRAQL_KEEP_SCENES_DAYS: days(
    'How long scenes are kept after registration, with everything found in them; `keepUntil` of a scene overrides it.',
  ),
  TERRAQL_KEEP_DELETIONS_DAYS: count(
    90,
    'How long `deletedSince` knows what was deleted; clients that synchronise less often start afresh.',
    'days',
  ),
};
