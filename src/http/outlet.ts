import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { AppError, BadInputError } from '../errors.ts';
import { FEATURE_REQUEST_MEMBERS, type FeatureRequest, type FeatureRequestMember } from '../graphql/feature-request.ts';
import { DEFAULT_VIEWER, type Viewer } from '../identity/viewer.ts';
import type { Services } from '../services.ts';
import { AllowedHosts } from './allowed-hosts.ts';
import type { HttpService } from './http-service.ts';

/** The resource lets clients choose a filter, and only known operations are answered. */
export class FilterNotAllowedError extends AppError {
  readonly code = 'EXPORT_NOT_ALLOWED';
  constructor(resource: string) {
    super(
      `${resource} accepts any filter, and this service answers only the operations of TERRAQL_PERSISTED_OPERATIONS.`,
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
}

type Answer<Parameters> = (asked: Asked<Parameters>) => Promise<void>;

/** How one resource is served. */
export interface Resource<Parameters> {
  /** Answers by method. GET answers HEAD too; OPTIONS and every other method are answered by the outlet. */
  readonly methods: Readonly<Partial<Record<'GET' | 'POST' | 'PUT', Answer<Parameters>>>>;
  /** Whether clients choose a filter; such a resource is refused while only persisted operations are answered. */
  readonly takesFilter: boolean;
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
 * What all routes share: who asks, with which services, whether filters are allowed, how a filter is read and priced, and
 * which methods there are. `error-response.ts` answers errors, `stored-file.ts` caches and ranges.
 */
export class Outlet {
  /** The names that requests may be addressed to. */
  readonly hosts: AllowedHosts;

  constructor(private readonly service: Pick<HttpService, 'config' | 'servicesFor' | 'readFeatureRequest'>) {
    this.hosts = new AllowedHosts(service.config);
  }

  /** The viewer of a request. */
  viewerOf(_request: IncomingMessage): Viewer {
    return DEFAULT_VIEWER;
  }

  /** Base of the links in answers, without a slash at the end: as configured, else as the client addressed the service. */
  baseUrlOf({ headers, socket }: IncomingMessage): string {
    const { localAddress, localPort } = socket;
    const configured = this.service.config.TERRAQL_PUBLIC_URL;
    return (configured ?? `http://${headers.host ?? `${localAddress}:${localPort}`}`).replace(/\/+$/, '');
  }

  /**
   * A router that serves one resource.
   * @param path as Express writes it, its parameters those of the answers
   */
  resource<Parameters extends Record<string, string>>(
    path: string,
    { methods, takesFilter, maxJsonBytes }: Resource<Parameters>,
  ): Router {
    const router = Router();
    if (takesFilter && this.service.config.TERRAQL_PERSISTED_OPERATIONS !== undefined) {
      router.all(path, ({ path: asked }) => {
        throw new FilterNotAllowedError(asked);
      });
    }
    const { GET, POST, PUT } = methods;
    const body = maxJsonBytes === undefined ? [] : [express.json({ limit: maxJsonBytes })];
    if (GET) router.get<string, Parameters>(path, this.answered(GET));
    if (POST) router.post<string, Parameters>(path, ...body, this.answered(POST));
    if (PUT) router.put<string, Parameters>(path, ...body, this.answered(PUT));
    const allowed = [...Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])), 'OPTIONS'];
    router.options(path, (_request, response) => void response.set('Allow', allowed.join(', ')).status(204).end());
    router.all(path, (request, response) => {
      const message = `${request.path} does not answer ${request.method}; use one of ${allowed.join(', ')}.`;
      response
        .set('Allow', allowed.join(', '))
        .status(405)
        .json({ error: { code: 'METHOD_NOT_ALLOWED', message } });
    });
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

  private answered<Parameters>(answer: Answer<Parameters>): RequestHandler<Parameters> {
    return (request, response) => {
      const viewer = this.viewerOf(request);
      return answer({ viewer, services: this.service.servicesFor(viewer), request, response });
    };
  }
}

function jsonBody(request: AnyRequest, Invalid: InputError): unknown {
  if (request.is('application/json')) return request.body as unknown;
  const type = request.headers['content-type'] ?? 'nothing';
  throw new Invalid(`the body is ${type}; it must be application/json`);
}

function queryValues({ query }: AnyRequest, members: readonly string[], Invalid: InputError): unknown {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (!members.includes(name)) {
        throw new Invalid(`there is no parameter ${name}; there are ${members.join(', ')}`);
      }
      if (typeof value !== 'string') throw new Invalid(`parameter ${name} must be given once`);
      return [name, parseParameter(name, value, Invalid)];
    }),
  );
}

function parseParameter(name: string, text: string, Invalid: InputError): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
    throw new Invalid(`parameter ${name} is not JSON: ${shown}`, { cause });
  }
}
