import type { EmptyReason, ReviewStatus, Role, SegmentationState, WebhookState } from './generated/graphql.ts';
import type { Condition } from './filter.ts';
import type { Colouring, Panel } from './address.ts';

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

export const count = (value: number): string => number.format(value);
export const date = (iso: string): string => day.format(new Date(iso));
const time = (at: Date): string => clock.format(at);
export const percent = (share: number): string => `${number.format(share * 100)} %`;

/** Square metres, hectares or square kilometres, as many digits as are read. */
export function area(areaM2: number | null | undefined): string {
  if (areaM2 === null || areaM2 === undefined) return '–';
  if (areaM2 < 10_000) return `${precise.format(areaM2)} m²`;
  if (areaM2 < 1e6) return `${precise.format(areaM2 / 1e4)} ha`;
  return `${precise.format(areaM2 / 1e6)} km²`;
}

export function length(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return '–';
  return metres < 10_000 ? `${precise.format(metres)} m` : `${precise.format(metres / 1000)} km`;
}

export function bytes(value: number): string {
  if (value < 1e6) return `${number.format(value / 1e3)} kB`;
  return value < 1e9 ? `${number.format(value / 1e6)} MB` : `${precise.format(value / 1e9)} GB`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${number.format(Math.max(1, seconds))} s`;
  return seconds < 5400 ? `${number.format(seconds / 60)} min` : `${precise.format(seconds / 3600)} h`;
}

export const panels: Readonly<Record<Panel, string>> = {
  ask: 'Ask',
  filter: 'Filter',
  list: 'List',
  feature: 'Feature',
  review: 'Review',
  share: 'Share',
};
export const conditions: Readonly<Record<Condition, string>> = {
  promptContains: 'Question',
  areaM2: 'Area',
  meanProbability: 'Certainty',
  elongation: 'Shape',
  acquired: 'Date',
  near: 'Near',
  intersects: 'In an area',
  adjacentTo: 'Beside',
  review: 'Review',
};
export const colourings: Readonly<Record<Colouring, string>> = {
  prompt: 'by question',
  certainty: 'by certainty',
  review: 'by review',
};
export const reviews: Readonly<Record<ReviewStatus, string>> = {
  UNREVIEWED: 'Not reviewed',
  ACCEPTED: 'Accepted',
  REJECTED: 'Rejected',
};
export const states: Readonly<Record<SegmentationState, string>> = {
  QUEUED: 'Waiting',
  RUNNING: 'Looking',
  SUCCEEDED: 'Done',
  FAILED: 'Stopped',
  CANCELLED: 'Cancelled.',
};
/** Why nothing was found, and what may help. */
export const empties: Readonly<
  Record<EmptyReason, { readonly reason: (threshold: number) => string; readonly action: string | null }>
> = {
  NO_PIXEL_ABOVE_THRESHOLD: {
    reason: (threshold) => `The model was nowhere ${percent(threshold)} sure.`,
    action: 'Ask at 30 %',
  },
  ALL_BELOW_MIN_AREA: { reason: () => 'All were smaller than the least size.', action: 'Ask without a least size' },
  OUTSIDE_AREA_OF_INTEREST: { reason: () => 'Nothing in your area.', action: 'Ask the whole image' },
  NO_VALID_PIXELS: { reason: () => 'The image has no data there.', action: null },
};

export const webhookStates: Readonly<Record<WebhookState, string>> = { ACTIVE: 'active', PAUSED: 'paused' };

/** Roles as people read them. */
export const roles: Readonly<Record<Role, string>> = { VIEWER: 'Viewer', ANALYST: 'Analyst', ADMIN: 'Administrator' };

export const texts = {
  apiKey: 'API key',
  signInButton: 'Sign in',
  signInWith: (provider: string): string => `Sign in with ${provider}`,
  signOut: 'Sign out',
  title: 'TerraQL',
  askPlaceholder: 'What do you want to find? One question a line.',
  noImages: 'No images yet. Drop a GeoTIFF, PNG or JPEG here.',
  anotherImage: 'Another image: drop it here.',
  chooseFile: 'Choose file',
  dropHere: 'Drop the image here.',
  reading: 'Reading the image…',
  loading: (what: string): string => `Loading ${what}…`,
  updating: 'Updating…',
  failed: (message: string): string => `TerraQL did not answer: ${message}`,
  offline: (at: Date): string => `Connection lost. Shown: ${time(at)}.`,
  tryAgain: 'Try again',
  uploading: (name: string, done: number, total: number): string =>
    `Uploading ${name}: ${bytes(done)} of ${bytes(total)}`,
  tooLarge: (name: string, size: number, most: number): string =>
    `${name} is ${bytes(size)}; the most is ${bytes(most)}.`,
  noGeoreference: 'No georeference: areas stay empty.',
  enterCorners: 'Enter its corners',
  askCount: (questions: number): string => (questions === 1 ? 'Ask 1 question' : `Ask ${questions} questions`),
  looking: (done: number, total: number, etaS: number | null): string =>
    `Looking: ${done} of ${total} windows${etaS === null ? '' : `, about ${duration(etaS)} left`}`,
  outlines: 'Drawing outlines…',
  modelAway: 'The model is away; still trying.',
  stopped: (message: string): string => `Stopped: ${message}`,
  found: (features: number, areaM2: number | null): string =>
    `${count(features)} ${features === 1 ? 'feature' : 'features'}${areaM2 === null ? '' : `, ${area(areaM2)}`}`,
  nothing: (prompt: string): string => `Nothing found for “${prompt}”.`,
  summary: (features: number, areaM2: number | null, unionM2: number | null): string =>
    `${count(features)} ${features === 1 ? 'feature' : 'features'}` +
    (areaM2 === null ? '' : `, ${area(areaM2)}`) +
    (unionM2 === null || areaM2 === null || unionM2 > areaM2 * 0.999 ? '' : `; ${area(unionM2)} of ground`),
  noMatch: (conditionCount: number): string =>
    conditionCount === 1
      ? 'No feature matches this condition.'
      : `No feature matches these ${conditionCount} conditions.`,
  clearAll: 'Clear all',
  cells: 'Squares count features too small to draw.',
  credits: (names: readonly string[]): string => `Imagery: ${names.join(', ')}`,
  leftOut: (features: number): string => `${count(features)} not drawn here. Zoom in.`,
  borders: (prompt: string, metres: number | null): string =>
    metres === null ? `Touches “${prompt}”` : `Borders “${prompt}” for ${length(metres)}`,
  gap: (prompt: string, metres: number | null): string =>
    metres === null ? `Near “${prompt}”` : `${length(metres)} from “${prompt}”`,
  pixelsOnly: 'No georeference, so no metres.',
  change: (appeared: number, vanished: number, stayed: number): string =>
    `Appeared ${area(appeared)}, vanished ${area(vanished)}, stayed ${area(stayed)}`,
  firstRows: (shown: number, total: number): string =>
    `First ${count(shown)} of ${count(total)}. Narrow the filter or download.`,
  review: (left: number): string => `Review ${count(left)}`,
  reviewed: (done: number, accepted: number, rejected: number): string =>
    `All ${count(done)} reviewed: ${count(accepted)} accepted, ${count(rejected)} rejected.`,
  conflict: (by: string, status: ReviewStatus): string =>
    `${by} ${{ ACCEPTED: 'accepted', REJECTED: 'rejected', UNREVIEWED: 'cleared' }[status]} this meanwhile.`,
  saved: 'Saved. Tiles, files and API follow it.',
  tooLong: 'Save this filter as a view to share it.',
  unknownParameters: (names: readonly string[]): string =>
    `The address has parts that are not understood: ${names.join(', ')}. They were left out.`,
  mapStopped: 'The map stopped.',
  panelStopped: 'This panel stopped.',
  tableStopped: 'The table stopped.',
  restart: 'Restart',
  close: 'Close',
  cancel: 'Cancel',
  zoomTo: 'Zoom to',
  leftPanel: 'Left panel',
  rightPanel: 'Details',
  showAll: 'Show everything',
  area: 'Area',
  filterByArea: 'Filter by a drawn area',
  compare: 'Compare',
  mapLabel: (features: string): string => `Map: ${features} features`,
  choice: (prompt: string, areaM2: number | null): string => (areaM2 === null ? prompt : `${prompt} · ${area(areaM2)}`),
  drawing: 'Click the corners of the area; the first one again ends it.',
  onlyInArea: 'Only in an area',
  inDrawnArea: 'In the drawn area',
  earlier: (name: string): string => `Earlier: ${name}`,
  later: (name: string): string => `Later: ${name}`,
  noOverlap: 'These images do not overlap.',
  verdicts: {
    ACCEPTED: 'Accepted.',
    REJECTED: 'Rejected.',
    UNREVIEWED: 'Cleared.',
  } satisfies Record<ReviewStatus, string>,
  undo: 'Undo',
  keep: 'Keep',
  somebody: 'Somebody',
  anyway: { ACCEPTED: 'Accept anyway', REJECTED: 'Reject anyway', UNREVIEWED: 'Clear anyway' } satisfies Record<
    ReviewStatus,
    string
  >,
  noWebGl: 'No WebGL: table and charts still work.',
  signIn: 'Sign in to see this workspace: the service asks for a key.',
  forbidden: (reason: string): string => `${reason} Ask an administrator of your workspace.`,
  viewsOnly: 'This service gives files of saved views only.',
  noBasemap: 'The background map does not answer.',
  useKey: 'Use a key',
  copy: 'Copy',
  copied: 'Copied.',
  views: 'Saved views',
  tiles: 'Tiles',
  ogc: 'OGC',
  webhook: 'Webhook',
  delete: 'Delete',
  copyTiles: (view: string): string => `Copy the tile address of ${view}`,
  copyOgc: (view: string): string => `Copy the OGC API address of ${view}`,
  copyOgcHome: 'Copy OGC API address',
  webhookOf: (view: string): string => `Webhooks of ${view}`,
  deleteView: (view: string): string => `Delete the view ${view}`,
  webhookUrl: 'Address that is told of new and reviewed features (https)',
  makeWebhook: 'Make webhook',
  webhookSecret: 'Its secret, shown this once:',
  deleteWebhook: (url: string): string => `Delete the webhook ${url}`,
} as const;

export const shortcuts: readonly (readonly [keys: string, meaning: string])[] = [
  ['/', 'ask'],
  ['f', 'filter'],
  ['j / k', 'next / previous feature'],
  ['a / r / u', 'accept / reject / clear the review'],
  ['l', 'label'],
  ['n', 'note'],
  ['z', 'undo'],
  ['Enter', 'zoom to the feature'],
  ['[ / ]', 'left / right panel'],
  ['?', 'this help'],
  ['Esc', 'back'],
];
