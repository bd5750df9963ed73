import { Field, Float, ID, ObjectType } from 'type-graphql';
import { DateTimeScalar } from './scalars.ts';

@ObjectType('HttpHeader', { description: 'A header of an HTTP request.' })
export class HttpHeaderType {
  @Field(() => String, { description: 'Name, in lower case.' })
  readonly name!: string;

  @Field(() => String, { description: 'Value, to be sent as it is.' })
  readonly value!: string;
}

@ObjectType('DirectUpload', { description: 'A signed address of a bucket for the bytes of an image.' })
export class DirectUploadType {
  @Field(() => String, { description: 'PUT exactly the announced bytes to this URL, once.' })
  readonly url!: string;

  @Field(() => [HttpHeaderType], { description: 'Headers that the request must have; they are part of the signature.' })
  readonly headers!: HttpHeaderType[];
}

@ObjectType('Upload', { description: 'A one-time URL for the bytes of an image.' })
export class UploadType {
  @Field(() => ID, { description: 'Identifier for `registerScene(input: { uploadId })`.' })
  readonly id!: string;

  @Field(() => String, { description: 'PUT the bytes of the file to this URL.' })
  readonly url!: string;

  @Field(() => DateTimeScalar, { description: 'When the URL stops accepting bytes.' })
  readonly expiresAt!: Date;

  @Field(() => Float, { description: 'Announced size of the file; the URL accepts no more bytes.' })
  readonly maxBytes!: number;

  @Field(() => DirectUploadType, {
    nullable: true,
    description:
      'Address of the bucket, which takes the bytes instead of `url` without passing the service; null unless the service keeps its files in a bucket, and for more than 5 GiB.',
  })
  readonly direct!: DirectUploadType | null;
}
