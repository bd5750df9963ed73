import { Field, ID, ObjectType } from 'type-graphql';
import { RoleEnum } from './api-key.type.ts';

@ObjectType('Workspace', { description: 'The owner of stored data.' })
export class WorkspaceType {
  @Field(() => ID, { description: 'Identifier.' })
  readonly id!: string;

  @Field(() => String, { description: 'Name.' })
  readonly name!: string;
}

@ObjectType('Viewer', { description: 'The viewer of the request.' })
export class ViewerType {
  @Field(() => WorkspaceType, { description: 'The workspace of the request.' })
  readonly workspace!: WorkspaceType;

  @Field(() => String, { description: 'Name of the key or subject of the token.' })
  readonly subject!: string;

  @Field(() => RoleEnum, { description: 'Role of the viewer.' })
  readonly role!: keyof typeof RoleEnum;
}
