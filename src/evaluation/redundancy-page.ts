import { html, Html } from '../html.ts';
import { DISTANCES, type RedundancyReport, type StageRedundancy } from './redundancy.ts';
import { reportPage } from './report-page.ts';

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 68;
const RIGHT = 110;
const TOP = 16;
const BOTTOM = 48;
/** One colour a stage. */
const COLOURS = ['#0b57d0', '#b3261e', '#137333', '#8430ce'] as const;

/** The report as one HTML page: the plot, a table of stages and one of images. */
export function redundancyPage(report: RedundancyReport): string {
  const title = `Redundancy of visual tokens, ${report.modelId}`;
  const body = html`<p>Cosine similarity of the encoder's tokens in ${report.images.length === 1 ? 'one image' : `${report.images.length} images`}, each letterboxed into one window of
${report.windowPx} pixels; cells that show a bar are left out. Bars span from the 5 % to the 95 % mark. "Anywhere" are pairs
drawn from the same image: the closer neighbours are to 1 and the further above "anywhere", the more of what they say is
said twice.</p>
${new Html(redundancyPlot(report.stages))}
<div class="scroll"><table><thead><tr><th>stage</th>${['stride, px', 'tokens', ...DISTANCES.map((distance) => `${distance} apart`), 'anywhere'].map(numberHeading)}</tr></thead>
<tbody>${report.stages.map(stageRow)}</tbody></table></div>
<h2>Direct neighbours, by image</h2>
<div class="scroll"><table><thead><tr><th>image</th>${report.stages.map(({ stage }) => numberHeading(stage))}</tr></thead>
<tbody>${report.images.map(({ name, neighbours }) => html`<tr><td>${name}</td>${report.stages.map(({ stage }) => numberCell(cosineText(neighbours[stage])))}</tr>`)}</tbody></table></div>
`;
  return reportPage(title, body);
}

function stageRow({ stage, strideWindowPx, tokens, neighbours, anywhere }: StageRedundancy): Html {
  const cells = [...DISTANCES.map((distance) => neighbours[String(distance)]!), anywhere];
  const numbers = [String(strideWindowPx), String(tokens), ...cells.map(({ mean }) => cosineText(mean))];
  return html`<tr><td>${stage}</td>${numbers.map(numberCell)}</tr>`;
}

const numberHeading = (text: string): Html => html`<th class="number">${text}</th>`;
const numberCell = (text: string): Html => html`<td class="number">${text}</td>`;

/** A cosine with three decimals; a dash where there is no pair. */
export const cosineText = (cosine: number | null): string => (cosine === null ? '–' : cosine.toFixed(3));

/** An SVG chart: one line a stage over the distance of the tokens, with bars from the 5 % to the 95 % mark. */
function redundancyPlot(stages: readonly StageRedundancy[]): string {
  const lowest = Math.min(
    0,
    ...stages.flatMap(({ neighbours }) => Object.values(neighbours).map(({ low }) => low ?? 0)),
  );
  const bottom = Math.floor(lowest * 4) / 4;
  const x = (place: number, stage: number): number =>
    LEFT + ((place + 0.5) / (DISTANCES.length + 1)) * (WIDTH - LEFT - RIGHT) + (stage - (stages.length - 1) / 2) * 8;
  const y = (cosine: number): number => TOP + ((1 - cosine) / (1 - bottom)) * (HEIGHT - TOP - BOTTOM);
  const ticks = Array.from({ length: Math.round((1 - bottom) * 4) + 1 }, (_, i) => bottom + i / 4);
  const names = [...DISTANCES.map((distance) => `${distance} apart`), 'anywhere'];
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Cosine similarity of tokens over their distance, one line a stage" font-family="system-ui, sans-serif" font-size="13" fill="currentColor">
${ticks.map((tick) => html`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" stroke="#8884"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toFixed(2)}</text>`)}
${names.map((name, place) => html`<text x="${x(place, (stages.length - 1) / 2)}" y="${HEIGHT - BOTTOM + 22}" text-anchor="middle">${name}</text>`)}
${stages.map((stage, index) => stageLine(stage, index, (place) => x(place, index), y))}
<text x="14" y="${(HEIGHT - BOTTOM + TOP) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(HEIGHT - BOTTOM + TOP) / 2})">cosine similarity</text>
</svg>`.markup;
}

function stageLine(
  { stage, neighbours, anywhere }: StageRedundancy,
  index: number,
  x: (place: number) => number,
  y: (cosine: number) => number,
): Html {
  const colour = COLOURS[index % COLOURS.length]!;
  const points = [...DISTANCES.map((distance) => neighbours[String(distance)]!), anywhere].flatMap(
    ({ mean, low, high }, place) =>
      mean === null || low === null || high === null ? [] : [{ place, mean, low, high }],
  );
  const line = points
    .filter(({ place }) => place < DISTANCES.length)
    .map(({ place, mean }) => `${x(place)},${y(mean)}`)
    .join(' ');
  const bars = points.map(
    ({ place, mean, low, high }) =>
      html`<line x1="${x(place)}" x2="${x(place)}" y1="${y(low)}" y2="${y(high)}" stroke="${colour}" stroke-width="2" opacity="0.45"/><circle cx="${x(place)}" cy="${y(mean)}" r="4" fill="${colour}"/>`,
  );
  const [nameX, nameY] = [WIDTH - RIGHT + 24, TOP + 20 + 22 * index];
  const name = html`<circle cx="${nameX}" cy="${nameY - 4}" r="4" fill="${colour}"/><text x="${nameX + 12}" y="${nameY}" fill="${colour}" font-weight="600">${stage}</text>`;
  return html`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>${bars}${name}`;
}
