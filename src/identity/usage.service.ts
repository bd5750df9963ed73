import { BadInputError } from '../errors.ts';
import { dayOf, type Usage, type UsageGrouping, type UsageMeter, type UsageStore } from './usage.ts';

const DAY_MS = 86_400_000;
/** Longest period of one report. */
const MAX_DAYS = 3660;

/** Tells what a viewer's workspace used up. */
export class UsageService {
  constructor(
    private readonly store: UsageStore,
    private readonly meter: Pick<UsageMeter, 'flush'>,
  ) {}

  /**
   * Usage of the days (UTC) that lie between two times, the first and the last one in full. What this process counted is in
   * it; other processes write down theirs every few seconds.
   * @returns by day, then by model, if grouped so; days without usage are left out
   * @throws {BadInputError}
   */
  async between(from: Date, to: Date, groupBy: readonly UsageGrouping[]): Promise<Usage[]> {
    const days = (to.getTime() - from.getTime()) / DAY_MS;
    if (!(days > 0))
      throw new BadInputError(`Argument to is ${to.toISOString()}; it must be after from, ${from.toISOString()}.`, {
        details: { argument: 'to', value: to.toISOString(), limit: from.toISOString() },
      });
    if (days > MAX_DAYS)
      throw new BadInputError(`Arguments from and to are ${Math.ceil(days)} days apart; the most is ${MAX_DAYS}.`, {
        details: { argument: 'to', value: Math.ceil(days), limit: MAX_DAYS },
      });
    await this.meter.flush();
    const [first, last] = [dayOf(from), dayOf(new Date(to.getTime() - 1))];
    const sums = await this.store.sums(first, last, new Set(groupBy));
    return sums.map(({ day, ...rest }) => ({
      ...rest,
      from: beginningOf(day ?? first),
      to: new Date(beginningOf(day ?? last).getTime() + DAY_MS),
    }));
  }
}

const beginningOf = (day: string): Date => new Date(`${day}T00:00:00Z`);
