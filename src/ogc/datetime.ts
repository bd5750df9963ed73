import { parseInstant } from '../calendar-time.ts';
import { InvalidOgcParameterError } from './errors.ts';

/** Both ends included; null is open. */
export interface TimeRange {
  readonly from: Date | null;
  readonly to: Date | null;
}

const DAY_MS = 86_400_000;
const DURATION = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * Reads the parameter `datetime`: an instant, a day, or two of them with `/` between, one of which may be open (`..` or
 * nothing) or a duration.
 * @throws {InvalidOgcParameterError}
 * @see OGC 17-069r4, 7.15.4
 */
export function readDatetime(text: string): TimeRange {
  const [first = '', second, ...more] = text.split('/');
  if (more.length > 0) throw invalid(text);
  if (second === undefined) return dayOrInstant(first, text);
  if (isDuration(first) && isDuration(second)) throw invalid(text);
  const from = isOpen(first) || isDuration(first) ? null : dayOrInstant(first, text).from;
  const to = isOpen(second) || isDuration(second) ? null : dayOrInstant(second, text).to;
  if (isDuration(second)) return { from, to: from && shifted(from, second, 1) };
  if (isDuration(first)) return { from: to && shifted(to, first, -1), to };
  if (from && to && from > to) throw new InvalidOgcParameterError(`datetime ${text} ends before it begins.`);
  if (!from && !to) throw invalid(text);
  return { from, to };
}

const isOpen = (text: string): boolean => text === '' || text === '..';
const isDuration = (text: string): boolean => text.length > 1 && DURATION.test(text);

function dayOrInstant(text: string, whole: string): TimeRange {
  const isDay = /^\d{4}-\d\d-\d\dT?$/.test(text);
  // GDAL writes days with the separator of a time.
  const from = parseInstant(isDay ? text.replace('T', '') : text);
  if (!from) throw invalid(whole);
  return { from, to: isDay ? new Date(from.getTime() + DAY_MS - 1) : from };
}

function shifted(instant: Date, duration: string, sign: 1 | -1): Date {
  const [years, months, weeks, days, hours, minutes, seconds] = DURATION.exec(duration)!
    .slice(1)
    .map((part) => sign * Number(part ?? 0)) as [number, number, number, number, number, number, number];
  const moved = new Date(instant);
  moved.setUTCFullYear(
    moved.getUTCFullYear() + years,
    moved.getUTCMonth() + months,
    moved.getUTCDate() + 7 * weeks + days,
  );
  const shiftedBy = new Date(moved.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000);
  if (Number.isNaN(shiftedBy.getTime())) throw invalid(duration);
  return shiftedBy;
}

function invalid(text: string): InvalidOgcParameterError {
  return new InvalidOgcParameterError(
    `datetime is ${JSON.stringify(text)}; it must be an RFC 3339 instant such as 2026-11-30T12:00:00Z, or two separated by /, one of which may be "..".`,
  );
}
