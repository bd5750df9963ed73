import { BadInputError } from '../errors.ts';
import type { FeatureRequest } from '../graphql/feature-request.ts';
import type { View } from '../view/view.ts';
import type { Asked, FeatureRequestOptions, Outlet } from './outlet.ts';

/** Part of every address that takes a filter; another text makes another address of the same thing. */
const REVISION = 'r';

/**
 * The features that a request asks for, by its own filter or by the saved view that the parameter `view` names.
 * @throws {BadInputError} {@link ViewNotFoundError}, and what the outlet throws of a filter
 */
export async function requestedFeatures<Parameters>(
  outlet: Outlet,
  { services, request }: Pick<Asked<Parameters>, 'services' | 'request'>,
  options: FeatureRequestOptions,
): Promise<FeatureRequest> {
  const { [REVISION]: _revision, view: slug, ...query } = request.query;
  const { method, headers, body } = request;
  const requested = outlet.featureRequest(
    { method, headers, query, body: body as unknown, is: (type) => request.is(type) },
    options,
  );
  if (slug === undefined) return requested;
  if (typeof slug !== 'string') throw new BadInputError('Parameter view must be given once.');
  if (Object.keys(requested.filter).length > 0) throw new BadInputError('Give either a view or a filter.');
  return ofView(requested, await services.views.requireSlug(slug));
}

function ofView(requested: FeatureRequest, { filter, order }: View): FeatureRequest {
  return { ...requested, filter, order: requested.order ?? order ?? undefined };
}
