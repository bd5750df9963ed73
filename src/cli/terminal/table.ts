import Table from 'cli-table3';

/** A column with its heading and alignment. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

/** Rows as aligned text without lines between them, with a newline at the end. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '' };
  const table = new Table({
    head: columns.map(({ heading }) => heading),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...none,
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
  });
  // A line break in a value would break its row.
  table.push(...rows.map((row) => row.map((value) => value.replace(/\s+/g, ' '))));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
