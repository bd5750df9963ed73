import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AdjacencyAnswer, GRAPH_WRITERS } from '../../src/cli/adjacency-formats.ts';

const run = promisify(execFile);

const node = (id: string, prompt: string, areaM2: number | null) => ({
  id,
  areaM2,
  perimeterM: areaM2 && 40,
  meanProbability: 0.75,
  centroid: { type: 'Point', coordinates: [5.5, 52.25] },
  segmentation: { id: 's1', prompt },
  scene: { id: 'c1' },
});
const PROMPT = 'boats & "piers" <old>,\nin harbour';
const { adjacency: graph } = AdjacencyAnswer.parse({
  adjacency: {
    nodes: [node('a', PROMPT, 100.5), node('b', 'form\u000c feed \u{1F6A2}', null), node('c', 'alone', 1)],
    edges: [
      { fromId: 'a', toId: 'b', relation: 'TOUCHES', sharedBorderM: 12.5, gapM: 0, bearingDeg: 90 },
      { fromId: 'b', toId: 'c', relation: 'NEAR', sharedBorderM: null, gapM: 7.25, bearingDeg: null },
    ],
  },
});

/** Reads GraphML with NetworkX where it is installed, else with Python's own parser of XML. */
const READER = `
import json, sys
text = sys.stdin.buffer.read()
try:
    import networkx
    graph = networkx.parse_graphml(text.decode())
    nodes = {node: dict(attributes) for node, attributes in graph.nodes(data=True)}
    edges = [[a, b, {k: v for k, v in attributes.items() if k != 'id'}] for a, b, attributes in graph.edges(data=True)]
    directed = graph.is_directed()
except ImportError:
    import xml.etree.ElementTree as ET
    ns = '{http://graphml.graphdrawing.org/xmlns}'
    root = ET.fromstring(text)
    keys = {key.get('id'): (key.get('attr.name'), key.get('attr.type')) for key in root.iter(ns + 'key')}
    def values(element):
        found = {}
        for data in element.iter(ns + 'data'):
            name, kind = keys[data.get('key')]
            found[name] = float(data.text) if kind == 'double' else data.text
        return found
    nodes = {node.get('id'): values(node) for node in root.iter(ns + 'node')}
    edges = [[edge.get('source'), edge.get('target'), values(edge)] for edge in root.iter(ns + 'edge')]
    directed = root.find(ns + 'graph').get('edgedefault') != 'undirected'
print(json.dumps({'directed': directed, 'nodes': nodes, 'edges': edges}))
`;
const hasPython = await run('python3', ['--version']).then(
  () => true,
  () => process.env['CI'] !== undefined,
);

describe('a graph', () => {
  it.skipIf(!hasPython)('is GraphML that other programs read', async () => {
    const child = run('python3', ['-c', READER]);
    child.child.stdin!.end(GRAPH_WRITERS.GRAPHML(graph));
    const read = JSON.parse((await child).stdout);
    expect(read).toEqual({
      directed: false,
      nodes: {
        a: {
          prompt: PROMPT,
          areaM2: 100.5,
          perimeterM: 40,
          meanProbability: 0.75,
          longitude: 5.5,
          latitude: 52.25,
          segmentationId: 's1',
          sceneId: 'c1',
        },
        b: expect.objectContaining({ prompt: 'form\ufffd feed \u{1F6A2}', meanProbability: 0.75 }),
        c: expect.objectContaining({ prompt: 'alone', areaM2: 1 }),
      },
      edges: [
        ['a', 'b', { relation: 'TOUCHES', sharedBorderM: 12.5, gapM: 0, bearingDeg: 90 }],
        ['b', 'c', { relation: 'NEAR', gapM: 7.25 }],
      ],
    });
    expect(read.nodes.b).not.toHaveProperty('areaM2');
  });

  it('is CSV with a line for each pair', () => {
    const [heading, first, ...rest] = GRAPH_WRITERS.CSV(graph).split('\r\n');
    expect(heading).toBe('fromId,toId,relation,sharedBorderM,gapM,bearingDeg,fromPrompt,toPrompt');
    expect(first).toBe('a,b,TOUCHES,12.5,0,90,"boats & ""piers"" <old>,\nin harbour",form\u000c feed \u{1F6A2}');
    expect(rest).toEqual(['b,c,NEAR,,7.25,,form\u000c feed \u{1F6A2},alone', '']);
  });

  it('is node-link JSON', () => {
    const { nodes, edges, ...rest } = JSON.parse(GRAPH_WRITERS.JSON(graph));
    expect(rest).toEqual({ directed: false, multigraph: false, graph: {} });
    expect(nodes.map(({ id }: { id: string }) => id)).toEqual(['a', 'b', 'c']);
    expect(nodes[1]).toMatchObject({ areaM2: null, longitude: 5.5, latitude: 52.25 });
    expect(edges[0]).toEqual({
      source: 'a',
      target: 'b',
      relation: 'TOUCHES',
      sharedBorderM: 12.5,
      gapM: 0,
      bearingDeg: 90,
    });
  });

  it('is a table with units for people', () => {
    const [heading, first, second] = GRAPH_WRITERS.TABLE(graph).split('\n');
    expect(heading).toMatch(/^from\s+to\s+relation\s+shared border\s+gap\s+bearing$/);
    expect(first).toMatch(/^boats & "piers" <old>, in harbour a\s+form feed 🚢 b\s+TOUCHES\s+12\.5 m\s+0 m\s+90°$/);
    expect(second).toMatch(/b\s+alone c\s+NEAR\s+–\s+7\.25 m\s+–$/);
  });
});
