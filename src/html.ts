/** Text that is markup already. */
export class Html {
  constructor(readonly markup: string) {}
}

type Content = Html | string | number | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup;
  if (typeof content === 'object') return content.map(({ markup }) => markup).join('');
  return String(content).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Markup with values put in; every value that is not {@link Html} is escaped, also for use in quoted attributes. */
export function html(template: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(String.raw({ raw: template }, ...values.map(markupOf)));
}
