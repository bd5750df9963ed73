import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DELETED_KINDS } from '../retention/deletion.ts';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const DeletedKindEnum = enumOf(...DELETED_KINDS);
registerEnumType(DeletedKindEnum, {
  name: 'DeletedKind',
  description: 'What was deleted.',
  valuesConfig: {
    SCENE: { description: 'A scene, and everything found in it.' },
    SEGMENTATION: { description: 'A segmentation, with its mask and all its features.' },
    FEATURE: { description: 'A feature whose segmentation is still stored.' },
  },
});

@ObjectType('Deletion', {
  description: 'Something that is no longer stored, because it was due or was deleted by hand.',
})
export class DeletionType {
  @Field(() => DeletedKindEnum, { description: 'What was deleted.' })
  readonly kind!: keyof typeof DeletedKindEnum;

  @Field(() => ID, { description: 'Identifier of what was deleted.' })
  readonly id!: string;

  @Field(() => ID, { description: 'Scene that it belonged to.' })
  readonly sceneId!: string;

  @Field(() => ID, { nullable: true, description: 'Segmentation that it belonged to; null for a scene.' })
  readonly segmentationId!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it was deleted.' })
  readonly at!: Date;
}

@ObjectType('DeletionPage', { description: 'Deletions in the order in which they happened.' })
export class DeletionPageType {
  @Field(() => [DeletionType], { description: 'Deletions of the page.' })
  readonly nodes!: readonly DeletionType[];

  @Field(() => String, {
    description:
      'Pass it as `after` for the next page, now or at the next synchronisation; nothing is left out in between.',
  })
  readonly cursor!: string;

  @Field(() => Boolean, { description: 'Whether more was deleted already.' })
  readonly hasNextPage!: boolean;
}
