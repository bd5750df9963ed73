import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { Role } from '../identity/viewer.ts';
import { NodeType } from './connection.ts';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const RoleEnum = enumOf('VIEWER', 'ANALYST', 'ADMIN');
registerEnumType(RoleEnum, {
  name: 'Role',
  description: 'Permissions of a viewer; each role includes the roles before it.',
  valuesConfig: {
    VIEWER: { description: 'Reads.' },
    ANALYST: { description: 'Registers images, asks questions, cancels runs, reviews features and saves views.' },
    ADMIN: { description: 'Deletes data, and manages keys, limits and the audit log.' },
  },
});

export const roleName = (role: Role): keyof typeof RoleEnum => role.toUpperCase() as Uppercase<Role>;
export const roleOf = (name: keyof typeof RoleEnum): Role => name.toLowerCase() as Lowercase<typeof name>;

@ObjectType('ApiKey', { implements: NodeType, description: 'API key of a program; the secret itself is not stored.' })
export class ApiKeyType extends NodeType {
  @Field(() => String, { description: 'Purpose, for people.' })
  readonly name!: string;

  @Field(() => String, { description: 'First characters of the secret.' })
  readonly prefix!: string;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires; null if it never does.' })
  readonly expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last used, to the minute; null if never.' })
  readonly lastUsedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked; null while it is valid.' })
  readonly revokedAt!: Date | null;
}

@ObjectType('CreatedApiKey', { description: 'A new key.' })
export class CreatedApiKeyType {
  @Field(() => ApiKeyType, { description: 'The API key.' })
  readonly key!: ApiKeyType;

  @Field(() => String, { description: 'Secret to send as `Authorization: Bearer …`. It is shown only once.' })
  readonly secret!: string;
}

@InputType('CreateApiKeyInput', { description: 'A new key.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'Purpose, at most 200 characters.' })
  name!: string;

  @Field(() => RoleEnum, { defaultValue: RoleEnum.VIEWER, description: 'Role of the key.' })
  role!: keyof typeof RoleEnum;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires; never by default.' })
  expiresAt?: Date | null;
}
