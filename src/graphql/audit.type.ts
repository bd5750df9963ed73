import { Field, InputType, ObjectType } from 'type-graphql';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar } from './scalars.ts';

@ObjectType('AuditEntry', {
  implements: NodeType,
  description: 'An entry of the audit log; entries are never changed.',
})
export class AuditEntryType extends NodeType {
  @Field(() => DateTimeScalar, { description: 'When.' })
  readonly at!: Date;

  @Field(() => String, { description: 'Name of the key or subject of the token that did it.' })
  readonly subject!: string;

  @Field(() => String, {
    description: 'Name of the mutation, `upload`, or `FORBIDDEN` and `UNAUTHENTICATED` for attempts that were refused.',
  })
  readonly action!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Identifier of the object, or what was refused; null without one.',
  })
  readonly target!: string | null;

  @Field(() => String, { description: '`X-Request-Id` of the response.' })
  readonly requestId!: string;

  @Field(() => String, { description: 'Address of the client.' })
  readonly address!: string;
}

export const AuditConnectionType = connectionTypes('Audit', () => AuditEntryType);

@InputType('AuditFilter', { description: 'Conditions on audit entries; all of them must hold.' })
export class AuditFilterInput {
  @Field(() => String, { nullable: true, description: 'Who.' })
  subject?: string;

  @Field(() => String, { nullable: true, description: 'Name of the mutation.' })
  action?: string;

  @Field(() => String, { nullable: true, description: 'Identifier of the object.' })
  target?: string;
}
