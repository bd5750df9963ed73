/** What a workspace used up; what each amount is stands in {@link AMOUNTS}. */
export interface Amounts {
  readonly requests: number;
  readonly cost: number;
  readonly windows: number;
  readonly modelS: number;
  readonly areaKm2: number;
  readonly bytesStored: number;
  readonly bytesSent: number;
}

/** Amounts and the columns that hold them. */
export const AMOUNTS: { readonly [Name in keyof Amounts]: string } = {
  requests: 'requests',
  cost: 'cost',
  windows: 'windows',
  modelS: 'model_s',
  areaKm2: 'area_km2',
  bytesStored: 'bytes_stored',
  bytesSent: 'bytes_sent',
};
const NAMES = Object.keys(AMOUNTS) as (keyof Amounts)[];

/** What was used up on one day with one model. */
export interface DayUse extends Amounts {
  readonly workspace: string;
  /** In UTC, as `2026-06-01`. */
  readonly day: string;
  /** Identifier; empty for what no model did. */
  readonly model: string;
}

/** Groupings of usage. */
export const USAGE_GROUPINGS = ['DAY', 'MODEL'] as const;
export type UsageGrouping = (typeof USAGE_GROUPINGS)[number];

/** Usage of whole days. */
export interface Usage extends Amounts {
  /** Beginning of the first day. */
  readonly from: Date;
  /** End of the last day. */
  readonly to: Date;
  /** Null where usage is not told apart by models, and for what no model did. */
  readonly model: string | null;
}

/** What a workspace used up; the port that the database implements. */
export interface UsageStore {
  /**
   * Sums of the days from the first to the last one, both included.
   * @returns by day, then by model, if grouped so
   */
  sums(
    first: string,
    last: string,
    groupBy: ReadonlySet<UsageGrouping>,
  ): Promise<(Amounts & { readonly day: string | null; readonly model: string | null })[]>;
}

/** Interval at which a process writes down what it counted. */
const WRITE_EVERY_MS = 5000;

type Counted = { -readonly [Name in keyof DayUse]: DayUse[Name] };

/** Counts what workspaces use up in this process, and has it written down in batches. */
export class UsageMeter {
  private counted = new Map<string, Counted>();
  private writing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  /**
   * @param write adds amounts to what is stored
   * @param onError called when that failed; the amounts are kept for the next time
   */
  constructor(
    private readonly write: (uses: readonly DayUse[]) => Promise<void>,
    private readonly onError: (error: unknown) => void,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.timer = setInterval(() => void this.flush(), WRITE_EVERY_MS).unref();
  }

  /** @param model that used it up; none unless given */
  add(workspace: string, amounts: Partial<Amounts>, model = ''): void {
    const day = dayOf(this.now());
    this.put({ ...NOTHING, ...amounts, workspace, day, model });
  }

  /** Writes down what was counted until now. */
  flush(): Promise<void> {
    this.writing = this.writing.then(async () => {
      if (this.counted.size === 0) return;
      const taken = [...this.counted.values()];
      this.counted = new Map();
      await this.write(taken).catch((error: unknown) => {
        for (const use of taken) this.put(use);
        this.onError(error);
      });
    });
    return this.writing;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private put(use: DayUse): void {
    const key = `${use.workspace} ${use.day} ${use.model}`;
    const before = this.counted.get(key);
    if (before) for (const name of NAMES) before[name] += use[name];
    else this.counted.set(key, { ...use });
  }
}

const NOTHING = Object.fromEntries(NAMES.map((name) => [name, 0])) as unknown as Amounts;

/** Day of a time in UTC. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);
