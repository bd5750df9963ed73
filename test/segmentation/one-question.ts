import type { SegmentRequest } from '../../src/segmentation/segmentation.service.ts';

/** A request for one question about a whole scene, of which everything found is kept; nobody waits for the answer. */
export function oneQuestion(
  sceneId: string,
  prompt: string,
  { scale, force = false }: Pick<SegmentRequest, 'scale'> & Partial<Pick<SegmentRequest, 'force'>>,
): SegmentRequest {
  return {
    sceneId,
    prompts: [prompt],
    task: 'REFERRING',
    scale,
    threshold: 0.5,
    minAreaM2: 0,
    areaOfInterest: null,
    waitS: 0,
    force,
  };
}
