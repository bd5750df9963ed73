import { describe, expect, it } from 'vitest';
import { schemaBreaks, unannounced } from '../../scripts/schema-breaks.ts';

const RELEASED = `
  type Query { scene(id: ID!): Scene, old: Int @deprecated(reason: "Use scene.") }
  type Scene { id: ID!, name: String!, state: State }
  enum State { READY, GONE }`;

describe('a change of the released schema', () => {
  it.each([
    ['a field that is gone', RELEASED.replace(', name: String!', ''), ['Scene.name']],
    ['a field that may be null', RELEASED.replace('name: String!', 'name: String'), ['Scene.name']],
    ['an argument that is required', RELEASED.replace('(id: ID!)', '(id: ID!, at: Int!)'), ['Query.scene.at']],
    ['an enum value that is gone', RELEASED.replace(', GONE', ''), ['State.GONE']],
    ['a deprecated field that is gone', RELEASED.replace(/, old: Int @deprecated\(.*\) }/, ' }'), []],
    ['a new field', RELEASED.replace('name:', 'size: Int, name:'), []],
    ['a new optional argument', RELEASED.replace('(id: ID!)', '(id: ID!, at: Int)'), []],
  ])('%s', async (_what, present, paths) => {
    const breaks = await schemaBreaks(RELEASED, present);
    expect(breaks.map(({ path }) => path)).toEqual(paths);
  });

  it('is announced where the unreleased part of the changelog names it', async () => {
    const breaks = await schemaBreaks(RELEASED, RELEASED.replace(', name: String!', '').replace(', GONE', ''));
    const changelog = '# Changelog\n## Unreleased\n- `Scene.name` is gone.\n## 0.1.0\n- `State.GONE` is new.\n';
    expect(unannounced(breaks, changelog).map(({ path }) => path)).toEqual(['State.GONE']);
    expect(unannounced(breaks, '# Changelog\n')).toEqual(breaks);
    expect(unannounced(breaks, `${changelog.split('## 0.1.0')[0]}- So is \`State.GONE\`.\n`)).toEqual([]);
  });
});
