import type { Html } from '../html.ts';
import type { Services } from '../services.ts';
import { InvalidOgcParameterError } from './errors.ts';
import { documentContent, htmlPage } from './html-pages.ts';
import { HTML_TYPE, JSON_TYPE, type Link, selfLinks } from './links.ts';

/** Where a request was sent, and in which form it is to be answered. */
export interface OgcAddress {
  /** Of the service, without a slash at the end. */
  readonly root: string;
  /** Of the landing page of the API. */
  readonly base: string;
  /** Of the request, without `f`. */
  readonly self: string;
  readonly isHtml: boolean;
}

/** A request, apart from how it came. */
export interface OgcRequest {
  /** Made for the viewer. */
  readonly services: Services;
  /** Parts of the path. */
  readonly names: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
  /** The header Prefer. @see RFC 7240 */
  readonly prefer: string;
  readonly address: OgcAddress;
  /** Address of a path of the service, signed where a login is required. @param path begins with a slash */
  readonly link: (path: string) => string;
}

/** An answer, apart from how it goes out. */
export interface OgcAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type OgcHandler = (request: OgcRequest) => Promise<OgcAnswer>;

/** What answers at a path. */
export interface OgcResource {
  /** Behind the landing page, its parts written as `:name`. */
  readonly path: string;
  readonly methods: Readonly<Partial<Record<'GET' | 'POST' | 'DELETE', OgcHandler>>>;
  /** Methods that a person who only looks may not use. */
  readonly changes?: readonly ('POST' | 'DELETE')[];
  /** Whether clients choose a filter. */
  readonly takesFilter: boolean;
}

interface AddressParts {
  readonly root: string;
  /** Of the API below the root, such as `/ogc`. */
  readonly prefix: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** Whether the header Accept prefers HTML. */
  readonly prefersHtml: boolean;
}

/** @throws {InvalidOgcParameterError} for a form that there is not */
export function ogcAddress({ root, prefix, path, query, prefersHtml }: AddressParts): OgcAddress {
  const { f, ...others } = query as Record<string, string>;
  if (f !== undefined && f !== 'json' && f !== 'html') {
    throw new InvalidOgcParameterError(`f is ${JSON.stringify(f)}; it must be json or html.`);
  }
  const text = new URLSearchParams(others).toString();
  const self = `${root}${path.replace(/\/+$/, '')}${text === '' ? '' : `?${text}`}`;
  return { root, base: `${root}${prefix}`, self, isHtml: f === undefined ? prefersHtml : f === 'html' };
}

/** A document in both forms. */
export interface OgcDocument {
  readonly title: string;
  readonly dataType: string;
  readonly data: string;
  readonly links: readonly Link[];
  readonly content: () => Html;
  readonly headers?: Readonly<Record<string, string>>;
}

export function documentAnswer({ isHtml }: OgcAddress, document: OgcDocument): OgcAnswer {
  const { title, dataType, data, links, content, headers = {} } = document;
  if (!isHtml) return { status: 200, contentType: dataType, headers, body: data };
  const policy = { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" };
  const body = htmlPage(title, links, content());
  return { status: 200, contentType: `${HTML_TYPE}; charset=utf-8`, headers: { ...headers, ...policy }, body };
}

/** @param make the document, given links to itself */
export function objectAnswer(
  address: OgcAddress,
  title: string,
  make: (self: readonly Link[]) => object,
  dataType: string = JSON_TYPE,
  content: (document: object) => Html = documentContent,
): OgcAnswer {
  const self = selfLinks(address.self, address.isHtml, dataType);
  const document = make(self);
  const links = 'links' in document && Array.isArray(document.links) ? (document.links as readonly Link[]) : self;
  return documentAnswer(address, {
    title,
    dataType,
    data: JSON.stringify(document),
    links,
    content: () => content(document),
  });
}

/** An answer that is JSON alone. */
export function jsonAnswer(
  status: number,
  document: object,
  headers: Readonly<Record<string, string>> = {},
): OgcAnswer {
  return { status, contentType: JSON_TYPE, headers, body: JSON.stringify(document) };
}
