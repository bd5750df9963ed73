import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import {
  DATASET_FILE,
  DatasetError,
  datasetOf,
  type LabelledDataset,
  type LabelledSample,
  Questions,
} from './labelled-dataset.ts';
import { oneLine } from './one-line.ts';

const IMAGE_FILE = /\.(png|jpe?g|tiff?|webp)$/i;
const PARTS = ['images', 'labels', 'QAs'] as const;

const Qa = z.object({ questions: Questions });

/**
 * Lists a data set without opening its images: a folder with a `dataset.json`, or EarthReason's layout, in which
 * `images`, `labels` and `QAs` lie together (in the folder, in its folder of the split, or below the release's root).
 * @param split `val` or `test`; says which folder of EarthReason is read
 * @throws {DatasetError} if the folder does not exist, has neither layout, or no usable sample
 */
export async function openDataset(data: string, split: string): Promise<LabelledDataset> {
  const folder = path.resolve(data);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new DatasetError(`${folder} is not a folder`);
  const dataset = existsSync(path.join(folder, DATASET_FILE))
    ? datasetOf(folder, await readJson(path.join(folder, DATASET_FILE)), existsSync)
    : await readEarthReason(folder, split);
  if (dataset.samples.length > 0) return dataset;
  const [first] = dataset.problems;
  const why = first === undefined ? '' : `; the first of ${dataset.problems.length} problems: ${first}`;
  throw new DatasetError(`${dataset.folder} has no usable sample${why}`);
}

/** The three files of a sample are joined by stem; files without partners become problems. */
async function readEarthReason(data: string, split: string): Promise<LabelledDataset> {
  const places = ['', split, `RSReasonSeg/${split}`, `rs_reason_seg/RSReasonSeg/${split}`];
  const folder = places
    .map((place) => path.join(data, place))
    .find((place) => PARTS.every((part) => existsSync(path.join(place, part))));
  if (folder === undefined) {
    throw new DatasetError(
      `${data} has neither ${DATASET_FILE} nor all of ${PARTS.join(', ')} (also searched: ${places.slice(1).join(', ')})`,
    );
  }
  const [images, labels, answers] = await Promise.all([
    filesByStem(path.join(folder, 'images'), IMAGE_FILE),
    filesByStem(path.join(folder, 'labels'), IMAGE_FILE),
    filesByStem(path.join(folder, 'QAs'), /\.(json|txt)$/),
  ]);
  const samples: LabelledSample[] = [];
  const problems: string[] = [];
  for (const stem of [...new Set([images, labels, answers].flatMap((files) => [...files.keys()]))].toSorted()) {
    const [image, mask, qa] = [images.get(stem), labels.get(stem), answers.get(stem)];
    if (image === undefined || mask === undefined || qa === undefined) {
      const missing = PARTS.filter((_, part) => [image, mask, qa][part] === undefined);
      problems.push(`${stem} is not in ${missing.join(' and ')}`);
      continue;
    }
    const questions = await questionsOf(qa);
    if (typeof questions === 'string') problems.push(questions);
    else {
      const about = { task: 'REASONING', category: '', group: '', unlabelled: null } as const;
      samples.push({ name: stem, image, mask, questions, ...about });
    }
  }
  return { name: 'EarthReason', split, folder, samples, problems };
}

/** @returns the questions, or why the file has none */
async function questionsOf(file: string): Promise<readonly string[] | string> {
  try {
    const qa = Qa.safeParse(await readJson(file));
    return qa.success ? qa.data.questions : `${path.basename(file)}: ${oneLine(z.prettifyError(qa.error))}`;
  } catch (error) {
    if (error instanceof DatasetError) return error.message;
    throw error;
  }
}

async function filesByStem(folder: string, wanted: RegExp): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(folder)).toSorted()) {
    if (!wanted.test(name)) continue;
    const { name: stem } = path.parse(name);
    const other = files.get(stem);
    if (other !== undefined) {
      throw new DatasetError(`${path.basename(other)} and ${name} in ${folder} have the same stem`);
    }
    files.set(stem, path.join(folder, name));
  }
  return files;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new DatasetError(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
