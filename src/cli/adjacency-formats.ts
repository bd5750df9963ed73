import { z } from 'zod';
import { csvField } from '../export/write-csv.ts';
import { lengthText } from '../measure-text.ts';
import { textTable } from './terminal/table.ts';

export const ADJACENCY_GRAPH = `query Adjacency($filter: FeatureFilter, $relation: AdjacencyRelation, $withinM: Float) {
  adjacency(filter: $filter, relation: $relation, withinM: $withinM) {
    nodes { id areaM2 perimeterM meanProbability centroid segmentation { id prompt } scene { id } }
    edges { fromId toId relation sharedBorderM gapM bearingDeg }
  }
}`;

const Node = z.object({
  id: z.string(),
  areaM2: z.number().nullable(),
  perimeterM: z.number().nullable(),
  meanProbability: z.number(),
  centroid: z.object({ coordinates: z.array(z.number()).min(2) }),
  segmentation: z.object({ id: z.string(), prompt: z.string() }),
  scene: z.object({ id: z.string() }),
});
const Edge = z.object({
  fromId: z.string(),
  toId: z.string(),
  relation: z.string(),
  sharedBorderM: z.number().nullable(),
  gapM: z.number().nullable(),
  bearingDeg: z.number().nullable(),
});
const Graph = z.object({ nodes: z.array(Node), edges: z.array(Edge) });
type Graph = z.infer<typeof Graph>;

export const AdjacencyAnswer = z.object({ adjacency: Graph });

export const GRAPH_FORMATS = ['TABLE', 'GRAPHML', 'CSV', 'JSON'] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

export const GRAPH_WRITERS: Readonly<Record<GraphFormat, (graph: Graph) => string>> = {
  TABLE: writeTable,
  GRAPHML: writeGraphml,
  CSV: writeCsv,
  JSON: writeNodeLink,
};

type Attributes = Readonly<Record<string, string | number | null>>;

function nodeAttributes({ areaM2, perimeterM, meanProbability, centroid, segmentation, scene }: z.infer<typeof Node>) {
  const [longitude, latitude] = centroid.coordinates;
  return {
    prompt: segmentation.prompt,
    areaM2,
    perimeterM,
    meanProbability,
    longitude: longitude!,
    latitude: latitude!,
    segmentationId: segmentation.id,
    sceneId: scene.id,
  } satisfies Attributes;
}

function edgeAttributes({ relation, sharedBorderM, gapM, bearingDeg }: z.infer<typeof Edge>) {
  return { relation, sharedBorderM, gapM, bearingDeg } satisfies Attributes;
}

/** Node-link data, as NetworkX calls it. */
function writeNodeLink({ nodes, edges }: Graph): string {
  const graph = {
    directed: false,
    multigraph: false,
    graph: {},
    nodes: nodes.map((node) => ({ id: node.id, ...nodeAttributes(node) })),
    edges: edges.map((edge) => ({ source: edge.fromId, target: edge.toId, ...edgeAttributes(edge) })),
  };
  return `${JSON.stringify(graph)}\n`;
}

/** RFC 4180, one pair a line. */
function writeCsv({ nodes, edges }: Graph): string {
  const prompts = new Map(nodes.map(({ id, segmentation }) => [id, segmentation.prompt]));
  const heading = ['fromId', 'toId', 'relation', 'sharedBorderM', 'gapM', 'bearingDeg', 'fromPrompt', 'toPrompt'];
  const lines = edges.map(({ fromId, toId, relation, sharedBorderM, gapM, bearingDeg }) => {
    const ends = [prompts.get(fromId) ?? null, prompts.get(toId) ?? null];
    return [fromId, toId, relation, sharedBorderM, gapM, bearingDeg, ...ends].map(csvField);
  });
  return [heading, ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

const NODE_KEYS = {
  prompt: 'string',
  areaM2: 'double',
  perimeterM: 'double',
  meanProbability: 'double',
  longitude: 'double',
  latitude: 'double',
  segmentationId: 'string',
  sceneId: 'string',
} satisfies Record<keyof ReturnType<typeof nodeAttributes>, string>;
const EDGE_KEYS = {
  relation: 'string',
  sharedBorderM: 'double',
  gapM: 'double',
  bearingDeg: 'double',
} satisfies Record<keyof ReturnType<typeof edgeAttributes>, string>;

/**
 * GraphML, undirected; unknown values are omitted.
 * @see http://graphml.graphdrawing.org/specification.html
 */
function writeGraphml({ nodes, edges }: Graph): string {
  const keys = (domain: string, names: Readonly<Record<string, string>>): string[] =>
    Object.entries(names).map(
      ([name, type]) => `  <key id="${domain}-${name}" for="${domain}" attr.name="${name}" attr.type="${type}"/>`,
    );
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
    '  xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">',
    ...keys('node', NODE_KEYS),
    ...keys('edge', EDGE_KEYS),
    '  <graph id="adjacency" edgedefault="undirected">',
    ...nodes.map((node) => `    <node id="${node.id}">${data('node', nodeAttributes(node))}</node>`),
    ...edges.map(
      (edge) => `    <edge source="${edge.fromId}" target="${edge.toId}">${data('edge', edgeAttributes(edge))}</edge>`,
    ),
    '  </graph>',
    '</graphml>',
  ].join('\n')}\n`;
}

function data(domain: string, attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `<data key="${domain}-${name}">${xmlText(String(value))}</data>`)
    .join('');
}

/** Control characters that XML 1.0 forbids, even as references, become U+FFFD. */
function xmlText(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('\r', '&#13;')
      // oxlint-disable-next-line no-control-regex -- the characters outside `Char` of https://www.w3.org/TR/xml/#charsets
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  );
}

function writeTable({ nodes, edges }: Graph): string {
  const prompts = new Map(nodes.map(({ id, segmentation }) => [id, segmentation.prompt]));
  const end = (id: string): string => `${prompts.get(id) ?? ''} ${id}`;
  return textTable(
    [
      { heading: 'from' },
      { heading: 'to' },
      { heading: 'relation' },
      { heading: 'shared border', align: 'right' },
      { heading: 'gap', align: 'right' },
      { heading: 'bearing', align: 'right' },
    ],
    edges.map(({ fromId, toId, relation, sharedBorderM, gapM, bearingDeg }) => [
      end(fromId),
      end(toId),
      relation,
      lengthText(sharedBorderM),
      lengthText(gapM),
      bearingDeg === null ? '–' : `${bearingDeg.toFixed(0)}°`,
    ]),
  );
}
