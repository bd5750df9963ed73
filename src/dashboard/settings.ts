import { useQuery } from '@tanstack/react-query';
import type { StyleSpecification } from 'maplibre-gl';
import { address } from './graphql.ts';

import type { OpenidSettings } from './share/openid.ts';

/** What the page must know of the service's settings. */
interface Settings {
  /** Address of the style of a background map. */
  readonly basemapStyle: string | null;
  /** Whether files are given of saved views only. */
  readonly persistedOnly: boolean;
  /** Largest file that can be uploaded. */
  readonly maxUploadBytes: number;
  /** How people sign in at an OpenID provider; null if only API keys are accepted. */
  readonly signIn: OpenidSettings | null;
}

export function useSettings() {
  return useQuery({
    queryKey: ['settings'],
    staleTime: Infinity,
    queryFn: async ({ signal }) => (await fetch(address('/dashboard.json'), { signal })).json() as Promise<Settings>,
  });
}

/** The style of the background map: null if there is none or its server does not answer, undefined until that is known. */
export function useBasemap(): StyleSpecification | null | undefined {
  const settings = useSettings();
  const url = settings.data?.basemapStyle ?? null;
  const style = useQuery({
    queryKey: ['basemap', url],
    enabled: url !== null,
    staleTime: Infinity,
    retry: 1,
    queryFn: async ({ signal }) => (await fetch(url!, { signal })).json() as Promise<StyleSpecification>,
  });
  if (settings.isLoading) return undefined;
  if (url === null || style.isError) return null;
  return style.data;
}
