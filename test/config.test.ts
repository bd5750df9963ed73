import path from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError, readConfig, settingRows } from '../src/config.ts';

it('gives every setting a default that works on a fresh machine', () => {
  expect(readConfig({})).toMatchObject({
    TERRAQL_HOST: '127.0.0.1',
    TERRAQL_PORT: 4000,
    TERRAQL_DATA_DIR: '.terraql',
    TERRAQL_SCENE_ROOTS: [process.cwd()],
    TERRAQL_NEAR_M: 50,
  });
  expect(readConfig({}).DATABASE_URL).toBeUndefined();
});

it('takes an empty variable for an absent one', () => {
  expect(readConfig({ DATABASE_URL: '', TERRAQL_PORT: '' }).TERRAQL_PORT).toBe(4000);
});

it('splits the scene roots at the separator of paths', () => {
  expect(readConfig({ TERRAQL_SCENE_ROOTS: ['/a', '/b'].join(path.delimiter) }).TERRAQL_SCENE_ROOTS).toEqual([
    '/a',
    '/b',
  ]);
});

it('names every wrong variable with its value and what is allowed', () => {
  const read = () => readConfig({ TERRAQL_PORT: '70000', DATABASE_URL: 'mysql://x', TERRAQL_LOG_LEVEL: 'loud' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/TERRAQL_PORT="70000": .*65535/);
  expect(read).toThrow(/DATABASE_URL="mysql:\/\/x": must begin with postgres/);
  expect(read).toThrow(/TERRAQL_LOG_LEVEL="loud": .*"warn"/);
});

it('takes several model servers, and nothing else for one', () => {
  const urls = (value: string) => readConfig({ TERRAQL_MODEL_URL: value }).TERRAQL_MODEL_URL;
  expect(urls('')).toEqual([]);
  expect(urls('http://gpu1:8000/, https://models.example.org/a')).toEqual([
    'http://gpu1:8000',
    'https://models.example.org/a',
  ]);
  expect(() => urls('http://gpu1:8000,gpu2:8000')).toThrow(
    'TERRAQL_MODEL_URL="http://gpu1:8000,gpu2:8000": must be http:// or https:// addresses, separated by commas',
  );
});

it.each([
  ['TERRAQL_PORT', 'abc', 'must be a number'],
  ['TERRAQL_PORT', '80.5', 'must be a whole number'],
  ['TERRAQL_PORT', '65536', 'must be at most 65535'],
  ['TERRAQL_PORT', '-1', 'must be at least 0'],
  ['TERRAQL_MAX_PAGE', '0', 'must be more than 0'],
  ['TERRAQL_WORKER', 'maybe', 'must be one of "on", "off"'],
  ['TERRAQL_PUBLIC_URL', 'example.org', 'must be an http:// or https:// address'],
])('says in words what %s=%s must be', (name, value, requirement) => {
  expect(() => readConfig({ [name]: value })).toThrow(`${name}="${value}": ${requirement}. `);
});

it('shows no password of an address that it refuses', () => {
  const read = (url: string) => () => readConfig({ DATABASE_URL: url });
  expect(read('mysql://root:hunter2@db/terraql')).toThrow('DATABASE_URL="mysql://***@db/terraql"');
  expect(read('mysql://root:p@ss@db/terraql')).toThrow('DATABASE_URL="mysql://***@db/terraql"');
  expect(read('mysql://db/terraql?password=hunter2')).toThrow('DATABASE_URL="mysql://db/terraql?***"');
});

it('documents every setting with a sentence and a default, and its unit where the name has one', () => {
  for (const { name, fallback, unit, description } of settingRows()) {
    expect(description, name).toMatch(/^[`A-Z].*\.$/);
    expect(fallback, name).not.toBe('`undefined`');
    const suffix = /_(S|M|MB|BYTES|PIXELS|DAYS)$/.exec(name)?.[1];
    const units = { S: 'seconds', M: 'metres', MB: 'MiB', BYTES: 'bytes', PIXELS: 'pixels', DAYS: 'days' } as const;
    expect(unit, name).toBe(suffix ? units[suffix as keyof typeof units] : '');
  }
});

it.each([
  ['DATABASE_URL', 'mysql://u:s3cret@h/x', 'mysql://***@h/x'],
  ['DATABASE_URL', 'mysql://u:s3c/r@e?t@h/x', 'mysql://***@h/x'],
  ['DATABASE_URL', 'u:s3cret@h', '***@h'],
  ['DATABASE_URL', 'mysql://u:s3,cr@et@h', 'mysql://***@h'],
  ['DATABASE_URL', 'host=h password=s3cret user=u', 'host=h password=*** user=u'],
  ['TERRAQL_MODEL_URL', 'ftp://u:s3cret@a,http://b?token=s3cret', 'ftp://***@a,http://b?***'],
  ['TERRAQL_PUBLIC_URL', 'ftp://u:s3cret@a/?sig=s3cret', 'ftp://***@a/?***'],
])('does not print passwords of %s: %s', (name, value, shown) => {
  expect(() => readConfig({ [name]: value })).toThrow(`${name}="${shown}":`);
});
