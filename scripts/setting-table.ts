import type { SettingRow } from '../src/config.ts';

/** The table of settings in Markdown, one variable a row. */
export function settingTable(settings: readonly SettingRow[]): string {
  const rows = settings.map(
    ({ name, fallback, unit, description }) => `| \`${name}\` | ${fallback} | ${unit} | ${description} |`,
  );
  return ['| variable | default | unit | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
