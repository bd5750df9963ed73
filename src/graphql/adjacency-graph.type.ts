import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { AdjacencyRelationEnum } from './feature.type.ts';

@ObjectType('AdjacencyGraph', { description: 'Features, and which of them are neighbours.' })
export class AdjacencyGraphType {
  @Field(() => Int)
  readonly nodeCount!: number;
}

@ObjectType('AdjacencyEdge', { description: 'Two features that touch or are near; each pair stands once.' })
export class AdjacencyEdgeType {
  @Field(() => ID, { description: 'The smaller identifier of the two.' })
  readonly fromId!: string;

  @Field(() => ID)
  readonly toId!: string;

  @Field(() => AdjacencyRelationEnum)
  readonly relation!: keyof typeof AdjacencyRelationEnum;

  @Field(() => Float, { nullable: true })
  readonly sharedBorderM!: number | null;

  @Field(() => Float, { nullable: true })
  readonly gapM!: number | null;

  @Field(() => Float, { nullable: true, description: 'Between the centroids, degrees from north.' })
  readonly bearingDeg!: number | null;
}
