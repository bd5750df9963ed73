import type { IncomingMessage } from 'node:http';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { AllowedHosts } from '../allowed-hosts.ts';
import { AppError, BadInputError } from '../errors.ts';
import { FEATURE_REQUEST_MEMBERS, type FeatureRequest, type FeatureRequestMember } from '../graphql/feature-request.ts';
import { withoutSignature } from '../identity/link-signer.ts';
import { requireRole } from '../identity/identity-errors.ts';
import type { Links } from '../identity/open-identity.ts';
import { budgetHeaders } from '../identity/rate-limits.ts';
import type { Rule, Viewer } from '../identity/viewer.ts';
import type { Services } from '../services.ts';
import type { HttpService } from './http-service.ts';
import { jsonBody as readJson } from './json-body.ts';
import type { RouteRule } from './open-api/route-rule.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** The resource lets clients choose a filter, and only known operations are answered. */
export class FilterNotAllowedError extends AppError {
  readonly code = 'EXPORT_NOT_ALLOWED';
  constructor(resource: string) {
    super(
      `${resource} accepts any filter, but this service answers only the operations in TERRAQL_PERSISTED_OPERATIONS; files of saved views are at /features.geojson?view=.`,
    );
  }
}

/** A request with everything that its answer may be made of. */
export interface Asked<Parameters> {
  readonly viewer: Viewer;
  /** Made for the viewer. */
  readonly services: Services;
  readonly request: Request<Parameters>;
  readonly response: Response;
  /**
   * Takes more of what the workspace may use up in a minute, once it shows what an answer costs.
   * @throws {RateLimitedError}
   */
  spend(cost: number): Promise<void>;
}

/** What a picture costs, as a tile or a mask: about as much as a page of features. */
export const PICTURE_COST = 20;
/** A document that is short, and made of a row or two. */
export const DOCUMENT_COST = 1;

type Answer<Parameters> = (asked: Asked<Parameters>) => Promise<void>;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** How one resource is served. */
export interface Resource<Parameters> {
  /** Least role that may use it. */
  readonly role: Rule;
  /** Of methods that ask for another one. */
  readonly roles?: Readonly<Partial<Record<Method, Rule>>>;
  /** Of an answer, in the units of GraphQL's operations; what depends on the filter is spent when that is read. */
  readonly cost: number | ((request: Request<Parameters>) => number);
  /** Answers by method. GET answers HEAD too; OPTIONS and every other method are answered by the outlet. */
  readonly methods: Readonly<Partial<Record<Method, Answer<Parameters>>>>;
  /**
   * Whether clients choose a filter of any cost; such a resource is refused while only persisted operations are answered,
   * `UNLESS_VIEW` but for GET of a saved view. A tile is bounded whatever its filter.
   */
  readonly takesFilter: boolean | 'UNLESS_VIEW';
  /** JSON bodies are read up to this size; undefined: the answer reads the body itself. */
  readonly maxJsonBytes?: number;
}

type AnyRequest = Pick<Request, 'method' | 'query' | 'headers' | 'body'> & { is(type: string): unknown };
type InputError = new (message: string, options?: ErrorOptions) => AppError;

export interface FeatureRequestOptions {
  /** Members that the resource takes; all of them unless given. */
  readonly members?: readonly FeatureRequestMember[];
  /** Thrown for a body or parameter that cannot be read. */
  readonly invalid?: InputError;
}

/**
 * What all routes share: the viewer and its services, whether filters are allowed, how a filter is read and priced, and
 * which methods there are. `error-response.ts` answers errors, `stored-file.ts` caches and ranges.
 */
export class Outlet {
  /** The names that requests may be addressed to. */
  readonly hosts: AllowedHosts;
  /** Whose `X-Forwarded-*` headers are believed. */
  readonly proxies: TrustedProxies;

  /** The rule of every route, as declared where the route stands. */
  readonly rules: RouteRule[] = [];
  private readonly viewers = new WeakMap<IncomingMessage, Viewer>();

  constructor(
    private readonly service: Pick<
      HttpService,
      'config' | 'authenticator' | 'refusals' | 'rates' | 'usage' | 'linksFor' | 'servicesFor' | 'readFeatureRequest'
    >,
  ) {
    this.hosts = new AllowedHosts(service.config);
    this.proxies = new TrustedProxies(service.config.TERRAQL_TRUSTED_PROXIES);
  }

  /** The viewer of a request that passed {@link admit}. */
  viewerOf(request: IncomingMessage): Viewer {
    const viewer = this.viewers.get(request);
    if (!viewer) throw new Error(`The viewer of ${request.url} was not determined.`);
    return viewer;
  }

  /**
   * Declares the rule of a route that answers without services.
   * @returns its path
   */
  declare(path: string, methods: readonly string[], role: Rule): string {
    this.rules.push({ path, methods, role });
    return path;
  }

  /** Answers the methods that an address without parameters does not have; to stand before what takes any method. */
  readonly otherMethods: RequestHandler = (request, response, next) => {
    const methods = this.rules.flatMap((rule) => (rule.path === request.path ? rule.methods : []));
    const isAnswered = request.method !== 'OPTIONS' && allowedBy(methods).includes(request.method);
    if (methods.length === 0 || isAnswered) next();
    else answerOtherMethods([...new Set(methods)])(request, response, next);
  };

  /** Determines the viewer, and refuses an insufficient role. */
  admit(role: Rule): RequestHandler<Record<string, string>> {
    return async (request, response, next) => {
      const { authorization } = request.headers;
      const workspace = request.get('TerraQL-Workspace');
      const { method, originalUrl } = request;
      const viewer = await this.service.authenticator.viewerOf({
        authorization,
        workspace,
        link: { method, address: originalUrl },
      });
      // What a signature adds is no parameter of the resource.
      if (originalUrl.includes('signature=')) request.url = withoutSignature(request.url);
      requireRole(`${method} ${request.baseUrl}${request.path}`, viewer, role, this.service.refusals);
      this.viewers.set(request, viewer);
      const budget = await this.service.rates.take('requests', viewer.workspace, 1);
      if (budget) response.set(budgetHeaders(budget));
      this.countBytes(request, response, viewer.workspace);
      next();
    };
  }

  /** Counts the bytes of an answer; a connection carries one at a time. */
  private countBytes({ socket }: IncomingMessage, response: Response, workspace: string): void {
    const before = socket.bytesWritten;
    response.once('close', () => this.service.usage.add(workspace, { bytesSent: socket.bytesWritten - before }));
  }

  /** Base of the links in answers, without a slash at the end: as configured, else as the client addressed the service. */
  baseUrlOf(request: IncomingMessage): string {
    const { localAddress, localPort } = request.socket;
    const configured = this.service.config.TERRAQL_PUBLIC_URL;
    const { protocol, host } = this.proxies.addressedAs(request);
    return (configured ?? `${protocol}://${host ?? `${localAddress}:${localPort}`}`).replace(/\/+$/, '');
  }

  /** Makes links of the answer to a request, signed where a login is required. */
  linksOf(request: IncomingMessage): Links {
    return this.service.linksFor(this.viewerOf(request), this.baseUrlOf(request));
  }

  /**
   * A router that serves one resource.
   * @param path as Express writes it, its parameters those of the answers
   */
  resource<Parameters extends Record<string, string>>(
    path: string,
    { role, roles = {}, cost, methods, takesFilter, maxJsonBytes }: Resource<Parameters>,
  ): Router {
    const router = Router();
    for (const method of Object.keys(methods) as Method[]) this.declare(path, [method], roles[method] ?? role);
    if (takesFilter && this.service.config.TERRAQL_PERSISTED_OPERATIONS !== undefined) {
      router.all(path, ({ method, path: asked, query }, _response, next) => {
        const isView = takesFilter === 'UNLESS_VIEW' && method !== 'POST' && query['view'] !== undefined;
        if (!isView) throw new FilterNotAllowedError(asked);
        next();
      });
    }
    const { GET, POST, PUT, DELETE } = methods;
    const body = maxJsonBytes === undefined ? [] : [readJson(maxJsonBytes)];
    const admit = (method: Method): RequestHandler<Parameters> =>
      this.admit(roles[method] ?? role) as RequestHandler<Parameters>;
    if (GET) router.get<string, Parameters>(path, admit('GET'), this.answered(GET, cost));
    if (POST) router.post<string, Parameters>(path, admit('POST'), ...body, this.answered(POST, cost));
    if (PUT) router.put<string, Parameters>(path, admit('PUT'), ...body, this.answered(PUT, cost));
    if (DELETE) router.delete<string, Parameters>(path, admit('DELETE'), this.answered(DELETE, cost));
    router.all(path, answerOtherMethods(Object.keys(methods)));
    return router;
  }

  /**
   * The features that a request asks for: a JSON body, or a query whose parameters are JSON values.
   * @throws {BadInputError} {@link OperationTooCostlyError}
   */
  featureRequest(request: AnyRequest, options: FeatureRequestOptions = {}): FeatureRequest {
    const { members = FEATURE_REQUEST_MEMBERS, invalid = BadInputError } = options;
    const asked = request.method === 'POST' ? jsonBody(request, invalid) : queryValues(request, members, invalid);
    return this.service.readFeatureRequest(asked, members);
  }

  private answered<Parameters>(
    answer: Answer<Parameters>,
    cost: Resource<Parameters>['cost'],
  ): RequestHandler<Parameters> {
    return async (request, response) => {
      const viewer = this.viewerOf(request);
      const spend = async (points: number): Promise<void> => {
        if (points > 0) await this.service.rates.take('cost', viewer.workspace, points);
      };
      await spend(typeof cost === 'number' ? cost : cost(request));
      await answer({ viewer, services: this.service.servicesFor(viewer), request, response, spend });
    };
  }
}

const allowedBy = (methods: readonly string[]): string[] => [
  ...methods.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])),
  'OPTIONS',
];

/** Tells OPTIONS which methods there are, and refuses the others. */
function answerOtherMethods(methods: readonly string[]): RequestHandler {
  const allowed = allowedBy(methods).join(', ');
  return (request, response) => {
    response.set('Allow', allowed);
    if (request.method === 'OPTIONS') {
      response.status(204).end();
      return;
    }
    const message = `${request.path} does not answer ${request.method}; use one of ${allowed}.`;
    response.status(405).json({ error: { code: 'METHOD_NOT_ALLOWED', message } });
  };
}

function jsonBody(request: AnyRequest, Invalid: InputError): unknown {
  if (request.is('application/json')) return request.body as unknown;
  const type = request.headers['content-type'] ?? 'nothing';
  throw new Invalid(`The body is ${type}; it must be application/json.`);
}

function queryValues({ query }: AnyRequest, members: readonly string[], Invalid: InputError): unknown {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (!members.includes(name)) {
        throw new Invalid(`Parameter ${name} does not exist; the parameters are ${members.join(', ')}.`);
      }
      if (typeof value !== 'string') throw new Invalid(`Parameter ${name} must be given once.`);
      return [name, PLAIN[name]?.(value) ?? parseParameter(name, value, Invalid)];
    }),
  );
}

/** Parameters that are no JSON. */
const PLAIN: Readonly<Record<string, (text: string) => unknown>> = {
  include: (text) => text.split(','),
  crs: (text) => text,
};

function parseParameter(name: string, text: string, Invalid: InputError): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
    throw new Invalid(`Parameter ${name} is not JSON: ${shown}`, { cause });
  }
}
