/** The required part of a typed array `T`. */
interface Values<T> {
  readonly length: number;
  [index: number]: number;
  set(values: ArrayLike<number>, offset?: number): void;
  subarray(from: number, to: number): T;
  slice(from: number, to: number): T;
}

/** A typed array that doubles its capacity when full. */
export class GrowingArray<T extends Values<T>> {
  #values: T;
  #length = 0;

  constructor(private readonly allocate: (length: number) => T) {
    this.#values = allocate(16);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#reserve(this.#length + 1);
    this.#values[this.#length++] = value;
  }

  append(values: ArrayLike<number>): void {
    this.#reserve(this.#length + values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  /** @param index of a number that was pushed */
  at(index: number): number {
    return this.#values[index]!;
  }

  clear(): void {
    this.#length = 0;
  }

  /** The pushed numbers as a view, valid until the next change. */
  view(): T {
    return this.#values.subarray(0, this.#length);
  }

  /** A copy of the pushed numbers. */
  toArray(): T {
    return this.#values.slice(0, this.#length);
  }

  #reserve(length: number): void {
    if (length <= this.#values.length) return;
    const grown = this.allocate(Math.max(length, this.#values.length * 2));
    grown.set(this.view());
    this.#values = grown;
  }
}

export type GrowingUint32 = GrowingArray<Uint32Array<ArrayBuffer>>;
export type GrowingFloat64 = GrowingArray<Float64Array<ArrayBuffer>>;

export const growingUint32 = (): GrowingUint32 => new GrowingArray((length) => new Uint32Array(length));
export const growingFloat64 = (): GrowingFloat64 => new GrowingArray((length) => new Float64Array(length));
