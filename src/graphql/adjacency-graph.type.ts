import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { AdjacencyRelationEnum } from './feature.type.ts';

@ObjectType('AdjacencyGraph', { description: 'Features as nodes and neighbouring pairs as edges.' })
export class AdjacencyGraphType {
  @Field(() => Int, { description: 'Number of features.' })
  readonly nodeCount!: number;
}

@ObjectType('AdjacencyEdge', { description: 'Two features that touch or are near; each pair appears once.' })
export class AdjacencyEdgeType {
  @Field(() => ID, { description: 'The smaller of the two identifiers.' })
  readonly fromId!: string;

  @Field(() => ID, { description: 'The larger of the two identifiers.' })
  readonly toId!: string;

  @Field(() => AdjacencyRelationEnum, { description: 'Relation of the two features.' })
  readonly relation!: keyof typeof AdjacencyRelationEnum;

  @Field(() => Float, {
    nullable: true,
    description: 'Length of the common border, metres; null where it is not measured.',
  })
  readonly sharedBorderM!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic gap between the outlines, metres; null where it is not measured.',
  })
  readonly gapM!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Azimuth from the centroid of `from` to that of `to`, degrees clockwise from north.',
  })
  readonly bearingDeg!: number | null;
}
