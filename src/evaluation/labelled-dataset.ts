import path from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { SEGMENTATION_TASKS, type SegmentationTask } from '../inference/segmentation-model.ts';
import { oneLine } from './one-line.ts';

/** One target in one image, with paraphrased questions that ask for it. */
export interface LabelledSample {
  readonly name: string;
  /** Absolute path of the image. */
  readonly image: string;
  /** Absolute path of the mask, in the frame of the image: every value but 0 is the target; null: the target is absent. */
  readonly mask: string | null;
  /** Absolute path of a mask of unlabelled pixels, which do not count; null: all pixels count. */
  readonly unlabelled: string | null;
  /** The first is the one that the paper asks. */
  readonly questions: readonly string[];
  readonly task: SegmentationTask;
  /** Empty where the data set has none. */
  readonly category: string;
  /** Empty where the data set has none. */
  readonly group: string;
}

/** The samples of a folder, and which were skipped for which reason. */
export interface LabelledDataset {
  readonly name: string;
  /** Empty where the layout has no splits. */
  readonly split: string;
  readonly folder: string;
  readonly samples: readonly LabelledSample[];
  readonly problems: readonly string[];
}

/** The folder has no supported layout, or no usable sample. */
export class DatasetError extends AppError {
  readonly code = 'DATASET_INVALID';
}

/** One sample cannot be used; the others can. */
export class SampleError extends AppError {
  readonly code = 'SAMPLE_INVALID';
}

/** At least one question, each with text; surrounding blanks are trimmed. */
export const Questions = z
  .array(z.string().trim().min(1, 'a question must have text'))
  .min(1, 'there must be a question');

const Entry = z.strictObject({
  image: z.string().min(1),
  mask: z.string().min(1).nullable(),
  questions: Questions,
  task: z.enum(SEGMENTATION_TASKS).optional(),
  category: z.string().default(''),
  group: z.string().default(''),
  id: z.string().optional(),
  unlabelled: z.string().min(1).nullable().default(null),
});

/** `dataset.json` of a user's folder; `docs/model.md` describes it. */
export const DATASET_FILE = 'dataset.json';
const File = z.object({
  name: z.string().min(1).optional(),
  task: z.enum(SEGMENTATION_TASKS).default('REASONING'),
  samples: z.array(z.unknown()),
});

/**
 * The data set that a `dataset.json` lists. Invalid samples become problems, the others are kept.
 * @param content of the file, parsed JSON
 * @param exists whether a file is there
 * @throws {DatasetError} if the file as a whole is invalid
 */
export function datasetOf(folder: string, content: unknown, exists: (file: string) => boolean): LabelledDataset {
  const file = File.safeParse(content);
  if (!file.success) {
    throw new DatasetError(`${path.join(folder, DATASET_FILE)}: ${oneLine(z.prettifyError(file.error))}`);
  }
  const samples: LabelledSample[] = [];
  const problems: string[] = [];
  file.data.samples.forEach((entry, index) => {
    try {
      samples.push(sampleOf(folder, entry, `samples[${index}]`, file.data.task, exists));
    } catch (error) {
      if (!(error instanceof SampleError)) throw error;
      problems.push(error.message);
    }
  });
  return { name: file.data.name ?? path.basename(folder), split: '', folder, samples, problems };
}

function sampleOf(
  folder: string,
  value: unknown,
  where: string,
  usualTask: SegmentationTask,
  exists: (file: string) => boolean,
): LabelledSample {
  const entry = Entry.safeParse(value);
  if (!entry.success) throw new SampleError(`${where}: ${oneLine(z.prettifyError(entry.error))}`);
  const { image, mask, unlabelled, questions, task, category, group, id } = entry.data;
  const file = (name: string, key: string): string => {
    const full = path.resolve(folder, name);
    if (!full.startsWith(folder + path.sep)) throw new SampleError(`${where}.${key}: ${name} leaves ${folder}`);
    if (!exists(full)) throw new SampleError(`${where}.${key}: ${name} does not exist`);
    return full;
  };
  return {
    name: id ?? where,
    image: file(image, 'image'),
    mask: mask === null ? null : file(mask, 'mask'),
    unlabelled: unlabelled === null ? null : file(unlabelled, 'unlabelled'),
    questions,
    task: task ?? usualTask,
    category,
    group,
  };
}
