import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType('Model', { description: 'A model that questions can be put to.' })
export class ModelType {
  @Field(() => ID, { description: 'name/version' })
  readonly id!: string;

  @Field(() => String)
  readonly name!: string;

  @Field(() => String)
  readonly version!: string;

  @Field(() => String, { description: 'Of the manifest, which holds the hash of every file.' })
  readonly sha256!: string;

  @Field(() => Int, { description: 'Side of the square window that the model sees.' })
  readonly windowPx!: number;

  @Field(() => String)
  readonly licence!: string;

  @Field(() => Boolean, { description: 'Whether it is loaded and answers.' })
  readonly ready!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'What computes it (`cpu`, `webgpu`, `cuda`, `tensorrt`); null while it is not loaded or not known.',
  })
  readonly executionProvider?: string | null;
}
