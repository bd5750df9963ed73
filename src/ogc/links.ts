/** A link as OGC API has it. @see RFC 8288 */
export interface Link {
  readonly href: string;
  readonly rel: string;
  readonly type: string;
  readonly title?: string;
  readonly templated?: true;
}

export const JSON_TYPE = 'application/json';
export const GEOJSON_TYPE = 'application/geo+json';
export const HTML_TYPE = 'text/html';
export const SCHEMA_TYPE = 'application/schema+json';
export const OPENAPI_TYPE = 'application/vnd.oai.openapi+json;version=3.0';
export const MVT_TYPE = 'application/vnd.mapbox-vector-tile';

/** A URL with further parameters; undefined ones are left out, and given ones replace those of the URL. */
export function withParameters(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const [path = '', query = ''] = address.split('?');
  const all = new URLSearchParams(query);
  for (const [name, value] of Object.entries(parameters)) {
    all.delete(name);
    if (value !== undefined) all.set(name, value);
  }
  const text = all.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The links of a document to itself and to its other form. */
export function selfLinks(self: string, isHtml: boolean, dataType: string): Link[] {
  const data: Link = { href: withParameters(self, { f: 'json' }), rel: 'self', type: dataType, title: 'This document' };
  const page: Link = { href: withParameters(self, { f: 'html' }), rel: 'alternate', type: HTML_TYPE, title: 'As HTML' };
  if (!isHtml) return [data, page];
  return [
    { ...data, rel: 'alternate', title: 'As JSON' },
    { ...page, rel: 'self', title: 'This page' },
  ];
}
