import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useQuery,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { type Address } from './address.ts';
import { useAddress } from './address-store.ts';
import * as documents from './documents.ts';
import * as featureDocuments from './feature-documents.ts';
import { AREA_DECADES, both, filterKey, pruned } from './filter.ts';
import type {
  FeatureFilter,
  FeatureRowFragment,
  RunFieldsFragment,
  ScenesQuery,
  ViewerQuery,
  ViewsQuery,
} from './generated/graphql.ts';
import { ask, ServiceError } from './graphql.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The page itself says when the service is away, and asks again.
      networkMode: 'always',
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // A refusal stays one; an outage may end.
      retry: (failures, error) => failures < 2 && error instanceof ServiceError && error.code === null,
    },
  },
});

/** Rows of a page, and pages that the table holds at most. */
const PAGE_ROWS = 100;
const RETRY_MS = 5000;
export const MAX_ROWS = 5000;

type View = NonNullable<ViewsQuery['views']>[number];

/** The viewer; an error of code `UNAUTHENTICATED` if the service requires a credential. */
export function useViewer(): UseQueryResult<ViewerQuery['viewer']> {
  return useQuery({
    queryKey: ['viewer'],
    queryFn: async ({ signal }) => (await ask(documents.VIEWER, {}, signal)).viewer,
  });
}

export function useViews(): UseQueryResult<readonly View[]> {
  return useQuery({
    queryKey: ['views'],
    queryFn: async ({ signal }) => (await ask(featureDocuments.VIEWS, {}, signal)).views ?? [],
  });
}

/** The filter in force: of the saved view, else of the address. */
export function useFilter(): FeatureFilter {
  const { filter, view } = useAddress();
  const views = useViews();
  return useMemo(() => {
    const saved = view === null ? undefined : views.data?.find(({ slug }) => slug === view);
    return saved ? pruned(saved.filter as FeatureFilter) : pruned(filter);
  }, [filter, view, views.data]);
}

export type SceneItem = NonNullable<ScenesQuery['scenes']>['nodes'][number];

export function useScenes(): UseQueryResult<readonly SceneItem[]> {
  return useQuery({
    queryKey: ['scenes'],
    queryFn: async ({ signal }) => {
      const scenes: SceneItem[] = [];
      for (let after: string | null = null; ;) {
        const page: ScenesQuery = await ask(documents.SCENES, { after }, signal);
        scenes.push(...page.scenes.nodes);
        if (!page.scenes.pageInfo.hasNextPage) return scenes;
        after = page.scenes.pageInfo.endCursor ?? null;
      }
    },
  });
}

export function useRuns(): UseQueryResult<readonly RunFieldsFragment[]> {
  return useQuery({
    queryKey: ['runs'],
    queryFn: async ({ signal }) => (await ask(documents.RUNS, {}, signal)).segmentations.nodes,
  });
}

interface FeaturePage {
  readonly totalCount: number;
  readonly nodes: readonly FeatureRowFragment[];
  readonly end: string | null;
}

/** Pages of the features that match, in the order of the address. */
export function useFeatures(): UseInfiniteQueryResult<{ readonly pages: readonly FeaturePage[] }> {
  const filter = useFilter();
  const { order } = useAddress();
  return useInfiniteQuery({
    queryKey: ['features', filterKey(filter), order],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }): Promise<FeaturePage> => {
      const { features } = await ask(featureDocuments.FEATURES, { filter, orderBy: order, after: pageParam }, signal);
      const { hasNextPage, endCursor } = features.pageInfo;
      return { totalCount: features.totalCount, nodes: features.nodes, end: hasNextPage ? (endCursor ?? null) : null };
    },
    getNextPageParam: (last, pages) => (pages.length * PAGE_ROWS < MAX_ROWS ? last.end : null),
    placeholderData: keepPreviousData,
  });
}

export function useFeature(id: string | null) {
  return useQuery({
    queryKey: ['feature', id],
    enabled: id !== null,
    queryFn: async ({ signal }) => (await ask(featureDocuments.FEATURE, { id: id! }, signal)).feature ?? null,
  });
}

export function useSummary() {
  const filter = useFilter();
  return useQuery({
    queryKey: ['summary', filterKey(filter)],
    queryFn: async ({ signal }) => (await ask(featureDocuments.SUMMARY, { filter }, signal)).all[0] ?? null,
    placeholderData: keepPreviousData,
  });
}

/** Beyond this many features the ground that they cover takes long to unite. */
const MAX_UNITED = 20_000;

/** Ground that the features which match cover, square metres; asked beside the summary, which does not wait for it. */
export function useGround() {
  const filter = useFilter();
  const summary = useSummary();
  const count = summary.data?.featureCount ?? 0;
  return useQuery({
    queryKey: ['ground', filterKey(filter)],
    enabled: count > 0 && count <= MAX_UNITED && !summary.isPlaceholderData,
    queryFn: async ({ signal }) => (await ask(featureDocuments.GROUND, { filter }, signal)).all[0]?.unionAreaM2 ?? null,
  });
}

/** Questions of the features that match, most features first. */
export function usePrompts() {
  const filter = useFilter();
  return useQuery({
    queryKey: ['prompts', filterKey(filter)],
    queryFn: async ({ signal }) =>
      (await ask(featureDocuments.PROMPTS, { filter }, signal)).byPrompt
        .map(({ key: [prompt = ''], ...group }) => ({ prompt, ...group }))
        .toSorted((a, b) => b.featureCount - a.featureCount),
    placeholderData: keepPreviousData,
  });
}

export function useCharts() {
  const filter = useFilter();
  return useQuery({
    queryKey: ['charts', filterKey(filter)],
    queryFn: async ({ signal }) => {
      const [d0, d1, d2, d3, d4, d5, d6] = AREA_DECADES.map((areaM2) => both(filter, { areaM2 }));
      const { byDay, ...decades } = await ask(featureDocuments.CHARTS, { filter, d0, d1, d2, d3, d4, d5, d6 }, signal);
      const counts = [decades.d0, decades.d1, decades.d2, decades.d3, decades.d4, decades.d5, decades.d6];
      return { byDay, byArea: counts.map(([group]) => group?.featureCount ?? 0) };
    },
    placeholderData: keepPreviousData,
  });
}

export function useChange(change: Address['change']) {
  return useQuery({
    queryKey: ['change', change],
    enabled: change !== null,
    queryFn: async ({ signal }) =>
      (await ask(featureDocuments.CHANGE, { from: change![0], to: change![1] }, signal)).change,
  });
}

/** While the service is unreachable, retries every five seconds and when the network is back; then reloads everything. */
export function useReconnection(isLost: boolean): void {
  useEffect(() => {
    if (!isLost) return undefined;
    const again = (): void => void refresh();
    const timer = setInterval(again, RETRY_MS);
    addEventListener('online', again);
    return () => {
      clearInterval(timer);
      removeEventListener('online', again);
    };
  }, [isLost]);
}

/** What is stored has changed: everything that shows it is read again. */
export async function refresh(): Promise<void> {
  await queryClient.invalidateQueries({
    predicate: ({ queryKey: [what] }) => what !== 'settings' && what !== 'basemap',
  });
}
