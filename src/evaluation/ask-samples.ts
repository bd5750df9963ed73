import { z } from 'zod';
import { AppError } from '../errors.ts';
import { SEGMENTATION_STATES } from '../segmentation/segmentation.ts';
import { groupedBy } from './grouped-by.ts';
import { DatasetError, type LabelledDataset, type LabelledSample, SampleError } from './labelled-dataset.ts';
import { type Label, readLabel } from './label.ts';
import { maskFromCounts, overlapInScene, overlapInWindow } from './overlap.ts';
import type { AskedQuestion } from './scores.ts';

/** Port to the service. */
export interface AskedService {
  /** @throws what the service refuses */
  ask<T>(answer: z.ZodType<T>, document: string, variables: Readonly<Record<string, unknown>>): Promise<T>;
}

/** How the questions are asked. */
export interface AskOptions {
  readonly modelId: string | undefined;
  /** Side of the model's window, pixels. */
  readonly windowPx: number;
  readonly scale: string;
  readonly everyQuestion: boolean;
  /** Largest number of prompts of one request. */
  readonly maxPrompts: number;
  readonly signal: AbortSignal;
  /** Called before each image. */
  onImage(done: number, total: number, image: string): void;
}

/** An answered question with its sample and the answer's mask. */
export interface AnsweredQuestion {
  readonly asked: AskedQuestion;
  readonly sample: LabelledSample;
  /** COCO run-length counts in the frame of the image. */
  readonly counts: readonly number[];
}

/** Answers, and why other samples were skipped. */
export interface Answers {
  readonly answered: readonly AnsweredQuestion[];
  readonly problems: readonly string[];
}

const SceneSize = z.object({ id: z.string(), widthPx: z.number(), heightPx: z.number() });
type SceneSize = z.infer<typeof SceneSize>;

const SEGMENTATION = 'id state failure { message } mask { widthPx heightPx counts }';
const Segmentation = z.object({
  id: z.string(),
  state: z.enum(SEGMENTATION_STATES),
  failure: z.object({ message: z.string() }).nullable(),
  mask: z.object({ widthPx: z.number(), heightPx: z.number(), counts: z.array(z.number()) }).nullable(),
});
type Segmentation = z.infer<typeof Segmentation>;

const REGISTER = 'mutation($path: String!) { registerScene(input: { path: $path }) { id widthPx heightPx } }';
const SEGMENT = `mutation($input: SegmentInput!) { segment(input: $input) { ${SEGMENTATION} } }`;
const SEGMENTATIONS = `query($id: ID!) { segmentation(id: $id) { ${SEGMENTATION} } }`;
const DELETE = 'mutation($id: ID!) { deleteScene(id: $id) }';

/** Seconds that one request waits for the answers. */
const WAIT_S = 60;

/**
 * Asks the service every question. Each image is registered as a scene, and deleted after its answers.
 * @param limit largest number of images; null: all
 * @throws {DatasetError} if no sample can be used; the signal's reason, checked between images
 */
export async function askSamples(
  service: AskedService,
  dataset: LabelledDataset,
  limit: number | null,
  options: AskOptions,
): Promise<Answers> {
  const images = [...groupedBy(dataset.samples, ({ image }) => image)].slice(0, limit ?? undefined);
  const answered: AnsweredQuestion[] = [];
  const problems = [...dataset.problems];
  for (const [index, [image, samples]] of images.entries()) {
    options.signal.throwIfAborted();
    options.onImage(index, images.length, image);
    answered.push(...(await askImage(service, image, samples, options, problems)));
  }
  if (answered.length > 0) return { answered, problems };
  throw new DatasetError(`No sample of ${dataset.folder} could be evaluated; first reason: ${problems[0]}`);
}

async function askImage(
  service: AskedService,
  image: string,
  samples: readonly LabelledSample[],
  options: AskOptions,
  problems: string[],
): Promise<AnsweredQuestion[]> {
  let scene: SceneSize;
  try {
    const registered = await service.ask(z.object({ registerScene: SceneSize }), REGISTER, { path: image });
    scene = registered.registerScene;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    problems.push(...samples.map(({ name }) => `${name}: ${error.message}`));
    return [];
  }
  try {
    const found: AnsweredQuestion[] = [];
    for (const task of new Set(samples.map((sample) => sample.task))) {
      const labelled = await labelledSamples(
        samples.filter((sample) => sample.task === task),
        scene,
        problems,
      );
      for (const part of chunks(questionsOf(labelled, options.everyQuestion), options.maxPrompts)) {
        found.push(...(await askPart(service, scene, task, part, options, problems)));
      }
    }
    return found;
  } finally {
    await service.ask(z.unknown(), DELETE, { id: scene.id });
  }
}

interface LabelledQuestion {
  readonly sample: LabelledSample;
  readonly label: Label;
  readonly question: string;
  readonly first: boolean;
}

async function labelledSamples(samples: readonly LabelledSample[], scene: SceneSize, problems: string[]) {
  const labelled: { sample: LabelledSample; label: Label }[] = [];
  for (const sample of samples) {
    try {
      labelled.push({ sample, label: await readLabel(sample, scene.widthPx, scene.heightPx) });
    } catch (error) {
      if (!(error instanceof SampleError)) throw error;
      problems.push(`${sample.name}: ${error.message}`);
    }
  }
  return labelled;
}

function questionsOf(
  labelled: readonly { sample: LabelledSample; label: Label }[],
  everyQuestion: boolean,
): LabelledQuestion[] {
  return labelled.flatMap(({ sample, label }) =>
    (everyQuestion ? sample.questions : sample.questions.slice(0, 1)).map((question, index) => ({
      sample,
      label,
      question,
      first: index === 0,
    })),
  );
}

function* chunks<T>(values: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += size) yield values.slice(start, start + size);
}

async function askPart(
  service: AskedService,
  { id: sceneId }: SceneSize,
  task: string,
  questions: readonly LabelledQuestion[],
  { modelId, scale, windowPx, signal }: AskOptions,
  problems: string[],
): Promise<AnsweredQuestion[]> {
  const prompts = questions.map(({ question }) => question);
  let segmentations: Segmentation[];
  try {
    const input = { sceneId, prompts, task, modelId, scale, waitS: WAIT_S };
    const { segment } = await service.ask(z.object({ segment: z.array(Segmentation) }), SEGMENT, { input });
    segmentations = await Promise.all(segment.map((asked) => settled(service, asked, signal)));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    problems.push(...questions.map(({ sample, question }) => `${sample.name}, ${question}: ${error.message}`));
    return [];
  }
  return questions.flatMap((question, index) => {
    const { state, failure, mask } = segmentations[index]!;
    if (mask !== null) return [compared(question, mask.counts, windowPx)];
    problems.push(`${question.sample.name}, ${question.question}: ${failure?.message ?? `the answer is ${state}`}`);
    return [];
  });
}

/** Waits until the segmentation is final. */
async function settled(service: AskedService, asked: Segmentation, signal: AbortSignal): Promise<Segmentation> {
  let current = asked;
  while (current.state === 'QUEUED' || current.state === 'RUNNING') {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const answer = z.object({ segmentation: Segmentation });
    ({ segmentation: current } = await service.ask(answer, SEGMENTATIONS, { id: asked.id }));
  }
  return current;
}

function compared(
  { sample, label, question, first }: LabelledQuestion,
  counts: readonly number[],
  windowPx: number,
): AnsweredQuestion {
  const answer = maskFromCounts(counts, label.widthPx, label.heightPx);
  const scene = overlapInScene(answer, label);
  const asked = {
    sample: sample.name,
    image: sample.image,
    question,
    first,
    category: sample.category,
    group: sample.group,
    window: overlapInWindow(answer, label, windowPx),
    scene,
    targetPixels: scene.union - scene.predicted + scene.intersection,
    pixels: label.counts.reduce((sum, counted) => sum + counted, 0),
  };
  return { asked, sample, counts };
}
