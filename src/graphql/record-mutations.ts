import type { GraphQLSchema } from 'graphql';
import type { RequestContext } from './context.ts';

/** Most objects of one mutation that are recorded one by one. */
const MOST_TARGETS = 1000;

/** Records every mutation that succeeds: who, what, on which objects. A new mutation is recorded without asking for it. */
export function recordMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (!resolve) continue;
    field.resolve = async (source, given: object, context: RequestContext, info) => {
      const answer: unknown = await resolve(source, given, context, info);
      await context.services.audit.record(field.name, targetsOf(answer, given));
      return answer;
    };
  }
}

/** Identifiers of what a mutation answers with, else of what it was asked about. */
function targetsOf(answer: unknown, given: object): string[] {
  const answered = [answer].flat().flatMap((value) => (typeof value === 'string' ? value : idOf(value)));
  const asked = [...valuesOf(given, 'id'), ...valuesOf(given, 'ids')];
  return (answered.length > 0 ? answered : asked).slice(0, MOST_TARGETS);
}

function idOf(value: unknown): string[] {
  return [...valuesOf(value, 'id'), ...valuesOf(value, 'key').flatMap((key) => valuesOf(key, 'id'))].flatMap((id) =>
    typeof id === 'string' ? id : [],
  );
}

function valuesOf(value: unknown, name: string): string[] {
  if (typeof value !== 'object' || value === null || !(name in value)) return [];
  return [value[name as keyof typeof value] as string | string[]].flat();
}
