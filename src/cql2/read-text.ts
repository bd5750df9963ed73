import { type Cql2, type Cql2Filter, InvalidCql2Error, type Operation } from './expression.ts';
import { checkOperands, predicateNamed } from './operators.ts';
import { readBbox, readNumber, readWkt, seesWkt } from './read-wkt.ts';
import { TokenReader } from './token-reader.ts';

/**
 * Reads a filter in the text encoding of CQL2. Keywords may have any case.
 * @throws {InvalidCql2Error} with the token and its position
 * @see OGC 21-065r2, annex B
 */
export function readCql2Text(text: string): Cql2Filter {
  return new TextReader(text).filter();
}

const COMPARISONS = ['=', '<>', '<=', '>=', '<', '>'];

class TextReader {
  private readonly places = new WeakMap<object, string>();
  private readonly tokens: TokenReader;

  constructor(text: string) {
    this.tokens = new TokenReader(text);
  }

  filter(): Cql2Filter {
    const expression = this.either();
    if (this.tokens.peek().kind !== 'END') throw this.tokens.unexpected('AND, OR or the end');
    const placeOf = (part: Cql2): string | undefined => (typeof part === 'object' ? this.places.get(part) : undefined);
    const filter = { expression, placeOf };
    checkOperands(filter);
    return filter;
  }

  /** `a OR b OR c`, or what binds more tightly. */
  private either(): Cql2 {
    return this.tokens.nested(() => this.joined('or', 'OR', () => this.joined('and', 'AND', () => this.negated())));
  }

  private joined(op: string, keyword: string, read: () => Cql2): Cql2 {
    const { position } = this.tokens.peek();
    const args = [read()];
    while (this.tokens.accepts(keyword)) args.push(read());
    return args.length === 1 ? args[0]! : this.placed({ op, args }, position);
  }

  private negated(): Cql2 {
    const { position } = this.tokens.peek();
    if (!this.tokens.accepts('NOT')) return this.predicate();
    return this.placed({ op: 'not', args: [this.tokens.nested(() => this.negated())] }, position);
  }

  private predicate(): Cql2 {
    const left = this.sum();
    const { position } = this.tokens.peek();
    const op = COMPARISONS.find((sign) => this.tokens.accepts(sign));
    if (op !== undefined) return this.placed({ op, args: [left, this.sum()] }, position);
    if (this.tokens.accepts('IS')) {
      const isNegated = this.tokens.accepts('NOT');
      this.tokens.expect('NULL');
      return this.perhapsNot(isNegated, { op: 'isNull', args: [left] }, position);
    }
    const isNegated =
      ['LIKE', 'ILIKE', 'BETWEEN', 'IN'].some((word) => this.tokens.sees(word, 1)) && this.tokens.accepts('NOT');
    const operation = this.advanced(left);
    return operation ? this.perhapsNot(isNegated, operation, position) : left;
  }

  /** LIKE, BETWEEN or IN behind the left operand; null for none of them. */
  private advanced(left: Cql2): Operation | null {
    if (this.tokens.accepts('LIKE')) return { op: 'like', args: [left, this.sum()] };
    // No part of the standard; GDAL writes it.
    if (this.tokens.accepts('ILIKE')) return { op: 'like', args: [caseless(left), caseless(this.sum())] };
    if (this.tokens.accepts('IN')) return { op: 'in', args: [left, this.tokens.list(() => this.either())] };
    if (!this.tokens.accepts('BETWEEN')) return null;
    const low = this.sum();
    this.tokens.expect('AND');
    return { op: 'between', args: [left, low, this.sum()] };
  }

  private perhapsNot(isNegated: boolean, operation: Operation, position: number): Cql2 {
    const placed = this.placed(operation, position);
    return isNegated ? this.placed({ op: 'not', args: [placed] }, position) : placed;
  }

  private sum(): Cql2 {
    return this.leftToRight(['+', '-'], () => this.leftToRight(['*', '/', '%', 'DIV'], () => this.power()));
  }

  private leftToRight(signs: readonly string[], read: () => Cql2): Cql2 {
    let left = read();
    for (;;) {
      const { position } = this.tokens.peek();
      const sign = signs.find((one) => this.tokens.accepts(one));
      if (sign === undefined) return left;
      left = this.placed({ op: sign.toLowerCase(), args: [left, read()] }, position);
    }
  }

  private power(): Cql2 {
    const base = this.signed();
    const { position } = this.tokens.peek();
    return this.tokens.accepts('^') ? this.placed({ op: '^', args: [base, this.signed()] }, position) : base;
  }

  private signed(): Cql2 {
    const { position } = this.tokens.peek();
    if (!this.tokens.sees('-')) return this.operand();
    if (this.tokens.peek(1).kind === 'NUMBER') return readNumber(this.tokens);
    this.tokens.take();
    return this.placed({ op: '*', args: [-1, this.tokens.nested(() => this.signed())] }, position);
  }

  private operand(): Cql2 {
    const { kind, position } = this.tokens.peek();
    if (kind === 'NUMBER') return readNumber(this.tokens);
    if (kind === 'TEXT') return this.tokens.take().text;
    if (kind === 'QUOTED') return this.placed({ property: this.tokens.take().text }, position);
    if (this.tokens.sees('(')) return this.grouped();
    if (kind !== 'WORD') throw this.tokens.unexpected('a value');
    if (this.tokens.accepts('TRUE')) return true;
    if (this.tokens.accepts('FALSE')) return false;
    if (seesWkt(this.tokens)) return this.placed(readWkt(this.tokens), position);
    if (!this.tokens.sees('(', 1)) return this.placed({ property: this.name() }, position);
    return this.placed(this.called(), position);
  }

  /** A name without quotes; keywords need them. */
  private name(): string {
    if (KEYWORDS.has(this.tokens.peek().text.toUpperCase())) throw this.tokens.unexpected('a value');
    return this.tokens.take().text;
  }

  /** What stands in parentheses: an expression, or a list of several. */
  private grouped(): Cql2 {
    const { position } = this.tokens.take();
    if (this.tokens.accepts(')')) return this.placed([], position);
    const first = this.either();
    if (!this.tokens.sees(',')) {
      this.tokens.expect(')');
      return first;
    }
    const items = [first];
    while (this.tokens.accepts(',')) items.push(this.either());
    this.tokens.expect(')');
    return this.placed(items, position);
  }

  private called(): Exclude<Cql2, string | number | boolean> {
    const word = this.tokens.peek().text;
    switch (word.toUpperCase()) {
      case 'BBOX':
        return readBbox(this.tokens);
      case 'DATE':
        return { date: this.instantText() };
      case 'TIMESTAMP':
        return { timestamp: this.instantText() };
      case 'INTERVAL':
        return this.interval();
    }
    const op = predicateNamed(word) ?? word;
    if (KEYWORDS.has(word.toUpperCase())) throw this.tokens.unexpected('a value');
    this.tokens.take();
    return { op, args: this.args(op.startsWith('a_')) };
  }

  private args(areArrays: boolean): Cql2[] {
    if (this.tokens.sees(')', 1)) {
      this.tokens.expect('(');
      this.tokens.expect(')');
      return [];
    }
    return this.tokens.list(() => (areArrays && this.tokens.sees('(') ? this.array() : this.either()));
  }

  /** A list in parentheses, also of one. */
  private array(): readonly Cql2[] {
    const { position } = this.tokens.peek();
    const grouped = this.tokens.nested(() => this.grouped());
    return Array.isArray(grouped) ? (grouped as readonly Cql2[]) : this.placed([grouped], position);
  }

  private instantText(): string {
    this.tokens.take();
    const [text] = this.tokens.list(() => {
      if (this.tokens.peek().kind !== 'TEXT') throw this.tokens.unexpected('an instant in quotes');
      return this.tokens.take().text;
    });
    return text!;
  }

  private interval(): Cql2 & object {
    const { position } = this.tokens.take();
    const ends = this.tokens.list(() => this.operand());
    const [from, to] = ends;
    if (from === undefined || to === undefined || ends.length !== 2) {
      throw new InvalidCql2Error(`INTERVAL has ${ends.length} ends instead of 2`, `character ${position}`);
    }
    return { interval: [from, to] };
  }

  private placed<Part extends object>(part: Part, position: number): Part {
    this.places.set(part, `character ${position}`);
    return part;
  }
}

const caseless = (text: Cql2): Operation => ({ op: 'casei', args: [text] });

/** Words that are no names of properties unless in double quotes. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  'AND',
  'OR',
  'NOT',
  'LIKE',
  'BETWEEN',
  'IN',
  'IS',
  'NULL',
  'TRUE',
  'FALSE',
  'DIV',
]);
