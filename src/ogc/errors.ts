import { AppError } from '../errors.ts';

/** A parameter of a request is unknown or has a value that it cannot have. */
export class InvalidOgcParameterError extends AppError {
  readonly code = 'PARAMETER_INVALID';
}

/** There is no collection of that name. */
export class CollectionNotFoundError extends AppError {
  readonly code = 'COLLECTION_NOT_FOUND';
  constructor(id: string) {
    super(`Collection ${JSON.stringify(id)} does not exist; /ogc/collections lists the collections.`);
  }
}

/** The collection has no item with that identifier. */
export class ItemNotFoundError extends AppError {
  readonly code = 'ITEM_NOT_FOUND';
  constructor(collection: string, id: string) {
    super(`Collection ${JSON.stringify(collection)} has no item ${JSON.stringify(id)}.`);
  }
}

/** A position has no coordinates in the system that was asked for. */
export class UnwritableGeometryError extends AppError {
  readonly code = 'CRS_NOT_WRITABLE';
  constructor([longitude, latitude]: readonly [number, number], crs: string) {
    super(`A feature at ${longitude}, ${latitude} has no coordinates in ${crs}; narrow bbox, or choose another crs.`);
  }
}

/** A question that a client waited for came to no answer. */
export class RunFailedError extends AppError {
  readonly code: string;
  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(message);
    this.code = code;
  }
}
