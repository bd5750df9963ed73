const ISO_8601 = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d))?$/;

/**
 * Parses an instant strictly: a calendar date (midnight UTC), or a date and time with an offset. JavaScript's own parser
 * takes 30 February for 1 March.
 * @returns null for other text, for dates that are not in the calendar, and for instants outside the UTC years 1 to 9999,
 *   which ISO 8601 and the database's text cannot both express
 * @see RFC 3339, section 5.6; leap seconds are refused
 */
export function parseInstant(text: string): Date | null {
  const match = ISO_8601.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as SixNumbers;
  const offsetMinutes = offsetOf(match[8]);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || offsetMinutes === null) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const milliseconds = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000);
  date.setUTCHours(hour, minute - offsetMinutes, second, milliseconds);
  const utcYear = date.getUTCFullYear();
  return utcYear >= 1 && utcYear <= 9999 ? date : null;
}

type SixNumbers = [number, number, number, number, number, number];

/** Days of a month of the proleptic Gregorian calendar. */
function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** @returns minutes east of Greenwich; null when they are not an offset */
function offsetOf(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (60 * hours + minutes);
}
