import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { errorLine, UsageError } from './terminal.ts';

/** Options that every command which asks the service has. */
export interface ServiceOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** `--url`, the server that a command asks. */
export function urlOption(): Option {
  return new Option(
    '--url <url>',
    'server to use (default: the server of the data folder, otherwise this process)',
  ).argParser((text: string) => {
    if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
    throw new InvalidArgumentError('It must be an http:// or https:// address.');
  });
}

/** Adds `--url` and `--json`. */
export function withServiceOptions(command: Command): Command {
  return command.addOption(urlOption()).option('--json', 'print JSON');
}

/** A number of the command line. @throws {InvalidArgumentError} */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** A whole number from 1. @throws {InvalidArgumentError} */
export function parseCount(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

/** Comma-separated numbers. @throws {InvalidArgumentError} unless there are `count` of them */
export function parseNumbers(count: number, form: string): (text: string) => number[] {
  return (text) => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (values.length !== count || values.some((value) => !Number.isFinite(value))) {
      throw new InvalidArgumentError(`It must be ${form}.`);
    }
    return values;
  };
}

/** Comma-separated whole numbers of at least 1. @throws {InvalidArgumentError} unless there are `count` of them */
export function parseCounts(count: number, form: string): (text: string) => number[] {
  return (text) => {
    const values = parseNumbers(count, form)(text);
    if (values.every((value) => Number.isInteger(value) && value >= 1)) return values;
    throw new InvalidArgumentError(`It must be ${form}.`);
  };
}

/** An option whose values are words, given in any letter case and passed on in capitals. */
export function choice(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, `${description} (${choices.map((word) => word.toLowerCase()).join(', ')})`);
  return option.argParser((text: string) => {
    const word = text.toUpperCase();
    if (choices.includes(word)) return word;
    throw new InvalidArgumentError(`Allowed are ${choices.map((allowed) => allowed.toLowerCase()).join(', ')}.`);
  });
}

/**
 * JSON given in place, or the name of a file that holds it.
 * @throws {UsageError}
 */
export async function readJson(option: string, text: string): Promise<unknown> {
  const inPlace = /^\s*[{[]/.test(text);
  const content = inPlace
    ? text
    : await readFile(text, 'utf8').catch((error: unknown) => {
        throw new UsageError(`${option} ${text}: ${errorLine(error)}`);
      });
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new UsageError(`${option} ${inPlace ? '' : `${text} `}is not JSON: ${errorLine(error)}`);
  }
}

/**
 * The geometry of a GeoJSON geometry, feature, or collection of one feature, given in place or as a file.
 * @throws {UsageError}
 */
export async function readGeometry(option: string, text: string): Promise<unknown> {
  let value = await readJson(option, text);
  if (has(value, 'features') && Array.isArray(value.features)) {
    if (value.features.length !== 1) {
      throw new UsageError(`${option} has ${value.features.length} features; it must have one.`);
    }
    value = value.features[0];
  }
  return has(value, 'geometry') ? value.geometry : value;
}

function has<Key extends string>(value: unknown, key: Key): value is Record<Key, unknown> {
  return typeof value === 'object' && value !== null && key in value;
}
