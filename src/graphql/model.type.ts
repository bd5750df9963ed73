import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType('Model', { description: 'An installed model.' })
export class ModelType {
  @Field(() => ID, { description: '`name/version`.' })
  readonly id!: string;

  @Field(() => String, { description: 'Name of the model.' })
  readonly name!: string;

  @Field(() => String, { description: 'Version of the model.' })
  readonly version!: string;

  @Field(() => String, { description: 'SHA-256 of the manifest, which holds the hash of every file of the model.' })
  readonly sha256!: string;

  @Field(() => Int, { description: 'Side of the square window that the model sees, pixels.' })
  readonly windowPx!: number;

  @Field(() => String, { description: 'SPDX identifier or name of the licence of the weights.' })
  readonly licence!: string;

  @Field(() => Boolean, { description: 'Whether the model is loaded and answers.' })
  readonly ready!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Execution provider of the model (`cpu`, `webgpu`, `cuda`, `tensorrt`); null while the model is not loaded or the provider is unknown.',
  })
  readonly executionProvider?: string | null;
}
