import { type GraphQLResolveInfo, type GraphQLSchema, isObjectType } from 'graphql';
import { JsonText } from './json-text.ts';
import { selectedField } from './selected-field.ts';
import type { Feature, GeometryFormat, Outline } from '../../feature/feature.ts';

/** Arguments of `Feature.geometry`, of which null stands for the default. */
export interface OutlineArguments {
  readonly precision: number | null;
  readonly simplifyM: number | null;
}

export function geometryFormat({ precision, simplifyM }: OutlineArguments): GeometryFormat {
  return { precision: precision ?? 7, simplifyM: simplifyM ?? 0 };
}

/** The format in which an operation asks for the outlines of the nodes of a page; null where it does not. */
export function outlinesOf(info: GraphQLResolveInfo): GeometryFormat | null {
  const given = selectedField(info, ['nodes', 'geometry']) ?? selectedField(info, ['edges', 'node', 'geometry']);
  return given === null ? null : geometryFormat(given as unknown as OutlineArguments);
}

/**
 * Lets `Feature.geometry` answer at once where the outline was read with the feature. type-graphql would wait for the
 * arguments of every call, for a page of a thousand features longer than it takes to read it.
 */
export function answerOutlinesAtOnce(schema: GraphQLSchema): void {
  const type = schema.getType('Feature');
  const field = isObjectType(type) ? type.getFields()['geometry'] : undefined;
  const load = field?.resolve;
  if (!field || !load) throw new Error('The schema has no resolver for Feature.geometry.');
  field.resolve = (feature: Feature, given: OutlineArguments, context, info) => {
    const text = outlineIn(geometryFormat(given), feature.outline);
    return text === null ? load(feature, given, context, info) : JsonText.of(text);
  };
}

function outlineIn({ precision, simplifyM }: GeometryFormat, outline: Outline | undefined): string | null {
  if (outline?.format.precision !== precision || outline.format.simplifyM !== simplifyM) return null;
  return outline.text;
}
