import { BadInputError } from '../errors.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import type { SegmentRequest } from '../segmentation/segmentation.service.ts';
import {
  jsonAnswer,
  objectAnswer,
  type OgcAnswer,
  type OgcHandler,
  type OgcRequest,
  type OgcResource,
} from './answer.ts';
import { ItemNotFoundError, RunFailedError } from './errors.ts';
import { readLimit, readParameters } from './item-request.ts';
import { JSON_TYPE, withParameters } from './links.ts';
import { jobDocument, processList, resultsDocument, segmentDescription } from './processes.ts';

export interface ProcessOptions {
  /** Nodes of one page. */
  readonly maxPage: number;
  /** Reads the inputs of a question. @throws {BadInputError} */
  readonly readSegmentRequest: (inputs: unknown) => SegmentRequest;
}

/** A client that does not ask for an answer later waits so long, then gets the job. */
const SYNC_WAIT_S = 60;
const JOBS_OF_A_PAGE = 100;

/** The run of a question as a process. @see OGC 18-062r2, OGC API - Processes */
export function processResources(options: ProcessOptions): OgcResource[] {
  const resource = (path: string, methods: OgcResource['methods']): OgcResource => ({
    path,
    methods,
    changes: ['POST', 'DELETE'],
    takesFilter: false,
  });
  const document =
    (title: string, make: (request: OgcRequest) => object | Promise<object>): OgcHandler =>
    async (request) => {
      readParameters(request.query, ['f']);
      const made = await make(request);
      return objectAnswer(request.address, title, () => made);
    };
  const jobOf = ({ services, names }: OgcRequest): Promise<Segmentation> =>
    services.segmentations.require(names['jobId']!);
  return [
    resource('/processes', { GET: document('Processes', ({ address }) => processList(address.base)) }),
    resource('/processes/:processId', {
      GET: document('Segment', (request) => {
        requireSegment(request);
        return segmentDescription(request.address.base);
      }),
    }),
    resource('/processes/:processId/execution', { POST: (request) => execute(request, options) }),
    resource('/jobs', { GET: (request) => listJobs(request, options.maxPage) }),
    resource('/jobs/:jobId', {
      GET: document('Job', async (request) => jobDocument(await jobOf(request), request.address.base)),
      DELETE: async ({ services, names, address }) =>
        jsonAnswer(200, jobDocument(await services.segmentations.cancel(names['jobId']!), address.base)),
    }),
    resource('/jobs/:jobId/results', {
      GET: document('Results', async (request) => {
        const job = await jobOf(request);
        if (job.state !== 'SUCCEEDED') throw new ItemNotFoundError(`jobs/${job.id}`, 'results');
        return resultsDocument(job, request.address.base, request.address.root);
      }),
    }),
  ];
}

function requireSegment({ names }: OgcRequest): void {
  const id = names['processId']!;
  if (id !== 'segment') throw new ItemNotFoundError('processes', id);
}

async function execute(request: OgcRequest, { readSegmentRequest }: ProcessOptions): Promise<OgcAnswer> {
  requireSegment(request);
  const { services, body, prefer, address } = request;
  const { prompt, ...inputs } = inputsOf(body);
  const isLater = /(^|,)\s*respond-async\s*(,|;|$)/.test(prefer);
  const question = readSegmentRequest({ ...inputs, prompts: [prompt] });
  const [job] = await services.segmentations.segment({ ...question, waitS: isLater ? 0 : SYNC_WAIT_S });
  const { base, root } = address;
  if (!isLater && job!.state === 'SUCCEEDED') return jsonAnswer(200, resultsDocument(job!, base, root));
  if (!isLater && job!.failure && job!.state === 'FAILED') throw new RunFailedError(job!.failure);
  const applied = isLater ? { 'Preference-Applied': 'respond-async' } : {};
  return jsonAnswer(201, jobDocument(job!, base), { ...applied, Location: `${base}/jobs/${job!.id}` });
}

/** @throws {BadInputError} */
function inputsOf(body: unknown): Readonly<Record<string, unknown>> {
  const inputs = typeof body === 'object' && body !== null && 'inputs' in body ? body.inputs : undefined;
  if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs)) {
    return inputs as Readonly<Record<string, unknown>>;
  }
  throw new BadInputError('The body must be {"inputs": {…}} as application/json, with sceneId and prompt in inputs.');
}

async function listJobs({ query, services, address }: OgcRequest, maxPage: number): Promise<OgcAnswer> {
  const parameters = readParameters(query, ['f', 'limit', 'after']);
  const limit = Math.min(readLimit(parameters['limit'], JOBS_OF_A_PAGE), maxPage);
  const found = await services.segmentations.list({}, { first: limit, after: parameters['after'] ?? null });
  const after = found.hasNextPage ? found.edges.at(-1)?.cursor : undefined;
  const following =
    after === undefined
      ? []
      : [{ href: withParameters(address.self, { after }), rel: 'next', type: JSON_TYPE, title: 'Next page' }];
  return objectAnswer(address, 'Jobs', (self) => ({
    jobs: found.edges.map(({ node }) => jobDocument(node, address.base)),
    links: [...self, ...following],
  }));
}
