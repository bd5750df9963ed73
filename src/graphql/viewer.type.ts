import { Field, ID, ObjectType } from 'type-graphql';
import { RoleEnum } from './api-key.type.ts';

@ObjectType('Workspace', { description: 'Owner of what is stored.' })
export class WorkspaceType {
  @Field(() => ID, { description: 'Identifier.' })
  readonly id!: string;

  @Field(() => String, { description: 'Name.' })
  readonly name!: string;
}

@ObjectType('Viewer', { description: 'Who asks.' })
export class ViewerType {
  @Field(() => WorkspaceType, { description: 'The workspace that is asked about.' })
  readonly workspace!: WorkspaceType;

  @Field(() => String, { description: 'Name of the key or subject of the token.' })
  readonly subject!: string;

  @Field(() => RoleEnum, { description: 'What the viewer may do.' })
  readonly role!: keyof typeof RoleEnum;
}
