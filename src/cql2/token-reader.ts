import { InvalidCql2Error, MAX_NESTING } from './expression.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Goes through the tokens of a text. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private next = 0;
  private nesting = 0;

  /** @throws {InvalidCql2Error} */
  constructor(text: string) {
    this.tokens = tokensOf(text);
  }

  /** The token that comes next. @param ahead that many further */
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.peek();
    this.next++;
    return token;
  }

  /** Whether a keyword, in any case, or a sign comes next. */
  sees(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'SIGN' ? token.text === text : token.kind === 'WORD' && token.text.toUpperCase() === text;
  }

  /** Takes the keyword or sign if it comes next. */
  accepts(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next++;
    return true;
  }

  /** @throws {InvalidCql2Error} when something else comes next */
  expect(text: string): Token {
    if (!this.sees(text)) throw this.unexpected(text);
    return this.take();
  }

  unexpected(wanted: string): InvalidCql2Error {
    const { kind, text, position } = this.peek();
    const said = kind === 'END' ? text : JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
    return new InvalidCql2Error(`expected ${wanted}, found ${said}`, `character ${position}`);
  }

  /** Reads something that may contain itself. @throws {InvalidCql2Error} where it nests too deeply */
  nested<Read>(read: () => Read): Read {
    if (++this.nesting > MAX_NESTING) {
      throw new InvalidCql2Error(`nests deeper than ${MAX_NESTING} levels`, `character ${this.peek().position}`);
    }
    const result = read();
    this.nesting--;
    return result;
  }

  /** Items in parentheses, separated by commas. */
  list<Item>(read: () => Item): Item[] {
    this.expect('(');
    const items = [read()];
    while (this.accepts(',')) items.push(read());
    this.expect(')');
    return items;
  }
}
