import type { ServedOgc } from '../ogc/served-ogc.ts';

export interface Export {
  readonly id: string;
  readonly state: string;
  readonly url: string | null;
  readonly sizeBytes: number | null;
  readonly featuresDone: number;
  readonly featuresTotal: number | null;
  readonly leftOut: number;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** Stored files as a client makes them. */
export interface MadeExports {
  /** @throws what the service says of the request */
  readonly created: (input: Record<string, unknown>) => Promise<Export>;
  /** The same once it is final, with the address of its file. */
  readonly finished: (input: Record<string, unknown>) => Promise<Export & { readonly address: string }>;
  /** The bytes of a file that is made without fault. */
  readonly file: (input: Record<string, unknown>) => Promise<Buffer>;
}

const FIELDS = 'id state url sizeBytes featuresDone featuresTotal leftOut failure { code message }';

export function madeExports(ogc: Pick<ServedOgc, 'ask' | 'url'>): MadeExports {
  const created = async (input: Record<string, unknown>): Promise<Export> => {
    const { data, error } = await ogc.ask(
      `mutation($input: ExportInput!) { createExport(input: $input) { ${FIELDS} } }`,
      { input },
    );
    if (error) throw new Error(`${String(error.code)}: ${error.message}`);
    return (data as unknown as { createExport: Export }).createExport;
  };
  const finished = async (input: Record<string, unknown>) => {
    let stored = await created(input);
    while (stored.state === 'QUEUED' || stored.state === 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { data } = await ogc.ask(`query($id: ID!) { export(id: $id) { ${FIELDS} } }`, { id: stored.id });
      stored = (data as unknown as { export: Export }).export;
    }
    return { ...stored, address: new URL(new URL(stored.url ?? 'http://none/').pathname, ogc.url).href };
  };
  const file = async (input: Record<string, unknown>): Promise<Buffer> => {
    const { address, failure } = await finished(input);
    if (failure) throw new Error(`${failure.code}: ${failure.message}`);
    return Buffer.from(await (await fetch(address)).arrayBuffer());
  };
  return { created, finished, file };
}
