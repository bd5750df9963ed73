import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';

/** What an identifier names; a new kind of identifier must be added here, or its field fails the tests that ask for it. */
export const ID_KINDS = [
  'scene',
  'segmentation',
  'feature',
  'view',
  'job',
  'delivery',
  'webhook',
  'slug',
  'apiKey',
  'upload',
  'export',
  'model',
] as const;
export type IdKind = (typeof ID_KINDS)[number];
export type Ids = Readonly<Record<IdKind, string>>;

/** One operation, as it asks for some identifiers. */
export interface ExampleOperation {
  /** Root field and the identifier that it is given, for the name of a test. */
  readonly title: string;
  readonly root: 'query' | 'mutation' | 'subscription';
  /** Whether any identifier is given. */
  readonly givesId: boolean;
  readonly query: string;
  readonly variables: (ids: Ids) => Readonly<Record<string, unknown>>;
}

const DEEPEST = 3;
type Input = GraphQLArgument | GraphQLInputField;
/** Where an identifier is given: names of argument and fields. */
type Slot = readonly string[];

/** Every root field of a schema: by itself, and once with each identifier that it takes. */
export function exampleOperations(schema: GraphQLSchema): ExampleOperation[] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([root, type]) =>
    Object.values(type?.getFields() ?? {}).flatMap((field) => {
      const optional = field.args.flatMap((argument) => optionalSlots(argument, [argument.name]));
      return [null, ...optional].map((slot) => operationOf(schema, root, field, slot));
    }),
  );
}

function operationOf(
  schema: GraphQLSchema,
  root: ExampleOperation['root'],
  field: GraphQLField<unknown, unknown>,
  slot: Slot | null,
): ExampleOperation {
  const isGiven = (input: Input, at: Slot): boolean =>
    isRequired(input) || slot?.slice(0, at.length).join('.') === at.join('.');
  const passedArguments = field.args.filter((argument) => isGiven(argument, [argument.name]));
  let givesId = false;
  const valueOf = (type: GraphQLInputType, at: Slot, ids: Ids): unknown => {
    if (isNonNullType(type)) return valueOf(type.ofType, at, ids);
    if (isListType(type)) return [valueOf(type.ofType, at, ids)];
    if (isInputObjectType(type)) {
      const all = Object.values(type.getFields());
      const given = all.filter((one) => isGiven(one, [...at, one.name]));
      // Of some inputs exactly one member is given.
      const fields =
        given.length > 0
          ? given
          : all.filter(({ name, type: of }) => isIdentifier(getNamedType(of), [name])).slice(0, 1);
      return Object.fromEntries(fields.map((one) => [one.name, valueOf(one.type, [...at, one.name], ids)]));
    }
    if (isEnumType(type)) return type.getValues()[0]!.name;
    if (!isIdentifier(type, at)) return type.name === 'String' ? `example ${ids.upload}` : (PLAIN[type.name] ?? null);
    const kind = kindOf(field, at);
    // Models are of nobody.
    givesId ||= kind !== 'model';
    return ids[kind];
  };
  const variables = (ids: Ids): Record<string, unknown> =>
    Object.fromEntries(
      passedArguments.map((argument) => [argument.name, valueOf(argument.type, [argument.name], ids)]),
    );
  variables(Object.fromEntries(ID_KINDS.map((kind) => [kind, ''])) as Ids);
  const declared = passedArguments.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
  const passed = passedArguments.map(({ name }) => `${name}: $${name}`).join(', ');
  const body = `${field.name}${passed === '' ? '' : `(${passed})`}${selectionOf(schema, getNamedType(field.type), 0)}`;
  return {
    title: `${root} ${field.name}${slot === null ? '' : ` by ${slot.join('.')}`}`,
    root,
    givesId,
    query: `${root}${declared === '' ? '' : `(${declared})`} { ${body} }`,
    variables,
  };
}

const PLAIN: Readonly<Record<string, unknown>> = {
  Int: 1,
  Float: 1,
  Boolean: false,
  DateTime: '2030-01-01T00:00:00Z',
  JSON: {},
};

const isRequired = (input: Input): boolean =>
  'args' in input || 'extensions' in input
    ? isRequiredArgument(input as GraphQLArgument) || isRequiredInputField(input as GraphQLInputField)
    : false;

const isIdentifier = (type: { readonly name: string }, at: Slot): boolean => type.name === 'ID' || at.at(-1) === 'slug';

function optionalSlots(input: Input, at: Slot): Slot[] {
  const type = getNamedType(input.type);
  if (isInputObjectType(type) && at.length < 2) {
    return Object.values(type.getFields()).flatMap((field) => optionalSlots(field, [...at, field.name]));
  }
  return isLeafType(type) && isIdentifier(type, at) && !isRequired(input) ? [at] : [];
}

/** What an argument identifies: by its own name, by its input type, else by the root field. */
function kindOf(field: GraphQLField<unknown, unknown>, at: Slot): IdKind {
  if (at.at(-1) === 'slug') return 'slug';
  const argument = field.args.find(({ name }) => name === at[0])!;
  const words = [at.at(-1)!, getNamedType(argument.type).name, field.name].map((word) => word.toLowerCase());
  for (const word of words) {
    if (word === 'node') return 'scene';
    if (word.includes('deliveries')) return 'delivery';
    const kind = ID_KINDS.find((one) => word.includes(one.toLowerCase()));
    if (kind) return kind;
    if (word === 'adjacency') return 'feature';
  }
  throw new Error(`what does ${at.join('.')} of ${field.name} identify? Add its kind to ID_KINDS`);
}

/** Every field that takes no required argument, down to a few levels. @param alias sets types apart whose fields differ */
function selectionOf(schema: GraphQLSchema, type: GraphQLNamedOutputType, depth: number, alias = ''): string {
  if (isLeafType(type)) return '';
  if (isInterfaceType(type)) {
    const parts = schema
      .getPossibleTypes(type)
      .map((one) => `... on ${one.name} ${selectionOf(schema, one, DEEPEST, one.name)}`);
    return `{ __typename id ${parts.join(' ')} }`;
  }
  if (!isObjectType(type)) return '{ __typename }';
  const fields = Object.values(type.getFields()).filter(
    ({ args, type: of }) => !args.some(isRequiredArgument) && (depth < DEEPEST || isLeafType(getNamedType(of))),
  );
  const named = (name: string): string => (alias === '' ? name : `${alias}_${name}: ${name}`);
  const parts = fields.map((one) => `${named(one.name)}${selectionOf(schema, getNamedType(one.type), depth + 1)}`);
  return `{ __typename ${parts.join(' ')} }`;
}
