import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { areaText } from '../measure-text.ts';
import { html, Html } from '../html.ts';
import type { HttpService } from './http-service.ts';
import type { Outlet } from './outlet.ts';
import { START_PAGE_STYLE } from './start-page-style.ts';

const SCENES = 20;
const SEGMENTATIONS = 24;

const DOCUMENT = `query StartPage($scenes: Int!, $segmentations: Int!) {
  scenes(first: $scenes) {
    totalCount
    nodes {
      id name widthPx heightPx crs gsdM areaM2
      segmentations(first: $segmentations) {
        totalCount
        nodes {
          id prompt state targetFound emptyReason featureCount areaM2
          progress { phase fraction } failure { message } mask { overlayUrl pngUrl geotiffUrl }
        }
      }
    }
  }
}`;

const SegmentationNode = z.object({
  id: z.string(),
  prompt: z.string(),
  state: z.string(),
  targetFound: z.boolean().nullable(),
  emptyReason: z.string().nullable(),
  featureCount: z.number(),
  areaM2: z.number().nullable(),
  progress: z.object({ phase: z.string(), fraction: z.number().nullable() }),
  failure: z.object({ message: z.string() }).nullable(),
  mask: z.object({ overlayUrl: z.string(), pngUrl: z.string(), geotiffUrl: z.string() }).nullable(),
});
const SceneNode = z.object({
  id: z.string(),
  name: z.string(),
  widthPx: z.number(),
  heightPx: z.number(),
  crs: z.string().nullable(),
  gsdM: z.number().nullable(),
  areaM2: z.number().nullable(),
  segmentations: z.object({ totalCount: z.number(), nodes: z.array(SegmentationNode) }),
});
const StartPageData = z.object({ scenes: z.object({ totalCount: z.number(), nodes: z.array(SceneNode) }) });

type SegmentationNode = z.infer<typeof SegmentationNode>;
type SceneNode = z.infer<typeof SceneNode>;

/** Whole, since the content security policy holds the hash of every character between the tags. */
const STYLE = new Html(`<style>${START_PAGE_STYLE}</style>`);

/** `GET /`: scenes and segmentations as one page without scripts, made of what `/graphql` answers. */
export function startPageRoute(service: HttpService, outlet: Outlet): RequestHandler {
  const publicUrl = service.config.TERRAQL_PUBLIC_URL?.replace(/\/+$/, '') ?? '';
  const style = createHash('sha256').update(START_PAGE_STYLE).digest('base64');
  const images = `data: 'self' ${publicUrl === '' ? '' : new URL(publicUrl).origin}`.trim();
  const policy = `default-src 'none'; img-src ${images}; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return async (request, response) => {
    const { body } = await service.graphql.executeOperation(
      { query: DOCUMENT, variables: { scenes: SCENES, segmentations: SEGMENTATIONS } },
      { contextValue: service.contextFor(outlet.viewerOf(request), publicUrl) },
    );
    if (body.kind !== 'single') throw new Error('the start page was answered in pieces');
    if (body.singleResult.errors) throw new Error(body.singleResult.errors.map(({ message }) => message).join('; '));
    const page = startPage(
      StartPageData.parse(body.singleResult.data),
      publicUrl,
      service.config.NODE_ENV !== 'production',
    );
    response.set('Content-Security-Policy', policy).set('Cache-Control', 'no-store').type('html').send(page.markup);
  };
}

/** The whole page; it loads itself again while something runs. */
function startPage({ scenes }: z.infer<typeof StartPageData>, base: string, sandbox: boolean): Html {
  const running = scenes.nodes.some(({ segmentations }) =>
    segmentations.nodes.some(({ state }) => state === 'QUEUED' || state === 'RUNNING'),
  );
  const sandboxLink = html`<a href="${base}/graphql">Open the GraphQL sandbox</a>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${running ? html`<meta http-equiv="refresh" content="3" />` : ''}
        <title>TerraQL</title>
        <link rel="icon" href="data:," />
        ${STYLE}
      </head>
      <body>
        <header>
          <h1>TerraQL</h1>
          <p>Ask an aerial or satellite image a question; get polygons, with areas and neighbours, over GraphQL.</p>
          <p>${sandbox ? sandboxLink : html`GraphQL answers at <code>${base}/graphql</code>.`}</p>
        </header>
        <main>
          ${scenes.nodes.length === 0 ? firstSteps() : scenes.nodes.map(sceneSection)}${more(scenes, 'scenes')}
        </main>
      </body>
    </html>`;
}

function firstSteps(): Html {
  return html`<section>
    <h2>No scene is registered yet</h2>
    <p>While this service runs, register an image and ask about it from a second terminal:</p>
    <pre><code>npm run terraql -- register path/to/image.tif
npm run terraql -- segment SCENE_ID "the water"</code></pre>
  </section>`;
}

function sceneSection(scene: SceneNode): Html {
  const facts = [
    `${scene.widthPx} × ${scene.heightPx} pixels`,
    scene.crs === null ? 'no georeference' : scene.crs.slice(0, 60),
    ...(scene.gsdM === null ? [] : [`${scene.gsdM.toPrecision(3)} m a pixel`]),
    ...(scene.areaM2 === null ? [] : [areaText(scene.areaM2)]),
  ];
  const { nodes } = scene.segmentations;
  return html`<section aria-labelledby="scene-${scene.id}">
    <h2 id="scene-${scene.id}">${scene.name}</h2>
    <p class="facts">${facts.join(' · ')}</p>
    <p class="facts">Scene <code>${scene.id}</code></p>
    ${
      nodes.length === 0
        ? html`<p>Nothing was asked about it yet.</p>`
        : html`<ul>
            ${nodes.map(segmentationCard)}
          </ul>`
    }
    ${more(scene.segmentations, 'segmentations')}
  </section>`;
}

function segmentationCard(segmentation: SegmentationNode): Html {
  const { mask, prompt } = segmentation;
  const picture = mask
    ? html`<a href="${mask.overlayUrl}"
        ><img src="${mask.overlayUrl}" alt="The scene with the answer to “${prompt}” in magenta" loading="lazy"
      /></a>`
    : '';
  const files = mask
    ? html`<p><a href="${mask.pngUrl}">Mask as PNG</a> · <a href="${mask.geotiffUrl}">as GeoTIFF</a></p>`
    : '';
  return html`<li>
    ${picture}
    <h3>${prompt}</h3>
    <p>${outcome(segmentation)}</p>
    ${files}
    <p class="facts"><code>${segmentation.id}</code></p>
  </li>`;
}

const EMPTY_REASONS: Readonly<Record<string, string>> = {
  NO_PIXEL_ABOVE_THRESHOLD: 'Not found in this scene',
  ALL_BELOW_MIN_AREA: 'Only features below the least area',
  OUTSIDE_AREA_OF_INTEREST: 'Nothing within the area of interest',
  NO_VALID_PIXELS: 'The scene has no data there',
};

function outcome({
  state,
  progress,
  failure,
  featureCount,
  areaM2,
  targetFound,
  emptyReason,
}: SegmentationNode): string {
  if (state === 'QUEUED') return 'Waiting';
  if (state === 'RUNNING') return `${progress.phase}, ${Math.round(100 * (progress.fraction ?? 0))} %`;
  if (state === 'FAILED') return `Failed: ${failure?.message ?? 'no reason was recorded'}`;
  if (state === 'CANCELLED') return 'Cancelled';
  if (targetFound === false) return EMPTY_REASONS[emptyReason ?? ''] ?? 'Nothing found';
  const found = `${featureCount} ${featureCount === 1 ? 'feature' : 'features'}`;
  return areaM2 === null ? found : `${found}, ${areaText(areaM2)}`;
}

function more({ totalCount, nodes }: { totalCount: number; nodes: readonly unknown[] }, what: string): Html | string {
  return totalCount > nodes.length ? html`<p>The newest ${nodes.length} of ${totalCount} ${what}.</p>` : '';
}
