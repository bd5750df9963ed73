import { BadInputError } from '../errors.ts';
import { filterCost } from '../feature/filter-cost.ts';
import type { FeatureRequest } from '../graphql/feature-request.ts';
import type { View } from '../view/view.ts';
import type { Asked, FeatureRequestOptions, Outlet } from './outlet.ts';

/** Part of every address that takes a filter; another text makes another address of the same thing. */
const REVISION = 'r';

/**
 * The features that a request asks for, by its own filter or by the saved view that the parameter `view` names. The cost of
 * the filter is spent.
 * @throws {BadInputError} {@link ViewNotFoundError}, and what the outlet throws of a filter
 */
export async function requestedFeatures<Parameters>(
  outlet: Outlet,
  { services, request, spend }: Pick<Asked<Parameters>, 'services' | 'request' | 'spend'>,
  options: FeatureRequestOptions,
): Promise<FeatureRequest> {
  const { [REVISION]: _revision, view: slug, ...query } = request.query;
  const { method, headers, body } = request;
  const requested = outlet.featureRequest(
    { method, headers, query, body: body as unknown, is: (type) => request.is(type) },
    options,
  );
  await spend(filterCost(requested.filter));
  if (slug === undefined) return requested;
  if (typeof slug !== 'string') throw new BadInputError('Parameter view must be given once.');
  if (Object.keys(requested.filter).length > 0) throw new BadInputError('Give either a view or a filter.');
  const view = await services.views.requireSlug(slug);
  await spend(filterCost(view.filter));
  return ofView(requested, view);
}

function ofView(requested: FeatureRequest, { filter, order }: View): FeatureRequest {
  return { ...requested, filter, order: requested.order ?? order ?? undefined };
}
