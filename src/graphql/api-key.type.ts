import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { Role } from '../identity/viewer.ts';
import { NodeType } from './connection.ts';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const RoleEnum = enumOf('VIEWER', 'ANALYST', 'ADMIN');
registerEnumType(RoleEnum, {
  name: 'Role',
  description: 'What a viewer may do; each role may also do what those before it may.',
  valuesConfig: {
    VIEWER: { description: 'Reads.' },
    ANALYST: { description: 'Registers images, asks, cancels, reviews and saves views.' },
    ADMIN: { description: 'Deletes, and keeps keys, limits and records.' },
  },
});

export const roleName = (role: Role): keyof typeof RoleEnum => role.toUpperCase() as Uppercase<Role>;
export const roleOf = (name: keyof typeof RoleEnum): Role => name.toLowerCase() as Lowercase<typeof name>;

@ObjectType('ApiKey', { implements: NodeType, description: 'A key by which a program asks; its secret is not kept.' })
export class ApiKeyType extends NodeType {
  @Field(() => String, { description: 'What it is for.' })
  readonly name!: string;

  @Field(() => String, { description: 'First characters of its secret.' })
  readonly prefix!: string;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires; null: never.' })
  readonly expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last used, to the minute; null: never.' })
  readonly lastUsedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked; null while it is accepted.' })
  readonly revokedAt!: Date | null;
}

@ObjectType('CreatedApiKey', { description: 'A new key.' })
export class CreatedApiKeyType {
  @Field(() => ApiKeyType, { description: 'The key.' })
  readonly key!: ApiKeyType;

  @Field(() => String, { description: 'What programs send as `Authorization: Bearer …`. Shown this once.' })
  readonly secret!: string;
}

@InputType('CreateApiKeyInput', { description: 'A new key.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'What it is for, at most 200 characters.' })
  name!: string;

  @Field(() => RoleEnum, { defaultValue: RoleEnum.VIEWER, description: 'What it may do.' })
  role!: keyof typeof RoleEnum;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires; never unless given.' })
  expiresAt?: Date | null;
}
