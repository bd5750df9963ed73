type FieldType = 'SHORT' | 'LONG' | 'DOUBLE' | 'ASCII';
const TYPE_CODES: Readonly<Record<FieldType, number>> = { ASCII: 2, SHORT: 3, LONG: 4, DOUBLE: 12 };
const TYPE_BYTES: Readonly<Record<FieldType, number>> = { ASCII: 1, SHORT: 2, LONG: 4, DOUBLE: 8 };

/** A field of an image file directory (IFD). */
export interface TiffField {
  readonly tag: number;
  readonly type: FieldType;
  readonly values: readonly number[];
}

/** Size of a directory and its out-of-line values, bytes; even, as TIFF requires of offsets. */
export function directoryBytes(fields: readonly TiffField[]): number {
  return 2 + 12 * fields.length + 4 + fields.reduce((sum, field) => sum + outsideBytes(field), 0);
}

/**
 * Encodes an image file directory, little-endian, followed by its out-of-line values.
 * @param fields ascending by tag
 * @param at offset of the directory in the file
 * @param next offset of the next directory; 0 after the last
 * @see TIFF 6.0, section 2
 */
export function encodeDirectory(fields: readonly TiffField[], at: number, next: number): Buffer {
  const bytes = Buffer.alloc(directoryBytes(fields));
  bytes.writeUInt16LE(fields.length, 0);
  let free = 2 + 12 * fields.length + 4;
  bytes.writeUInt32LE(next, free - 4);
  fields.forEach((field, index) => {
    const entry = 2 + 12 * index;
    bytes.writeUInt16LE(field.tag, entry);
    bytes.writeUInt16LE(TYPE_CODES[field.type], entry + 2);
    bytes.writeUInt32LE(field.values.length, entry + 4);
    const outside = outsideBytes(field);
    if (outside > 0) bytes.writeUInt32LE(at + free, entry + 8);
    writeValues(bytes, outside > 0 ? free : entry + 8, field);
    free += outside;
  });
  return bytes;
}

/** Bytes stored outside the directory; values of up to four bytes are stored inline. */
function outsideBytes({ type, values }: TiffField): number {
  const bytes = TYPE_BYTES[type] * values.length;
  return bytes > 4 ? bytes + (bytes % 2) : 0;
}

function writeValues(bytes: Buffer, at: number, { type, values }: TiffField): void {
  values.forEach((value, index) => {
    const position = at + index * TYPE_BYTES[type];
    if (type === 'DOUBLE') bytes.writeDoubleLE(value, position);
    else if (type === 'LONG') bytes.writeUInt32LE(value, position);
    else if (type === 'SHORT') bytes.writeUInt16LE(value, position);
    else bytes.writeUInt8(value, position);
  });
}

/**
 * The first directory of a little-endian TIFF, without fields of other types than those here.
 * @see TIFF 6.0, section 2
 */
export function readDirectory(file: Uint8Array): TiffField[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const at = bytes.readUInt32LE(4);
  return Array.from({ length: bytes.readUInt16LE(at) }, (_, index) => at + 2 + 12 * index).flatMap((entry) => {
    const type = TYPES.find((name) => TYPE_CODES[name] === bytes.readUInt16LE(entry + 2));
    if (!type) return [];
    const count = bytes.readUInt32LE(entry + 4);
    const begin = TYPE_BYTES[type] * count > 4 ? bytes.readUInt32LE(entry + 8) : entry + 8;
    const values = Array.from({ length: count }, (_, index) =>
      readValue(bytes, begin + index * TYPE_BYTES[type], type),
    );
    return [{ tag: bytes.readUInt16LE(entry), type, values }];
  });
}

const TYPES: readonly FieldType[] = ['ASCII', 'SHORT', 'LONG', 'DOUBLE'];

function readValue(bytes: Buffer, position: number, type: FieldType): number {
  if (type === 'DOUBLE') return bytes.readDoubleLE(position);
  if (type === 'LONG') return bytes.readUInt32LE(position);
  if (type === 'SHORT') return bytes.readUInt16LE(position);
  return bytes.readUInt8(position);
}
