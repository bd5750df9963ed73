import { type Measure, MEASURES } from '../feature/measures.ts';
import { CELLS } from './feature-tile.ts';

/** What the layers of a vector tile hold. @see https://github.com/mapbox/tilejson-spec/tree/master/3.0.0 (3.3) */
export const VECTOR_LAYERS = [
  {
    id: 'features',
    description: 'Features of at least one pixel, largest first.',
    fields: {
      id: 'Identifier, text.',
      sceneId: 'Identifier of the scene.',
      segmentationId: 'Identifier of the segmentation.',
      prompt: 'Text of the prompt.',
      review: 'Status of the newest review; absent without a review.',
      ...Object.fromEntries(MEASURES.map(({ name, doc }: Measure) => [name, doc])),
    },
  },
  {
    id: 'cells',
    description: `Features too small or too many to draw, counted in ${CELLS} × ${CELLS} cells.`,
    fields: {
      count: 'Number of features.',
      areaM2: 'Sum of their areas, square metres.',
      meanProbability: 'Mean probability of their pixels.',
      left_out: "Features of at least one pixel that exceed the tile's feature limit.",
    },
  },
];
