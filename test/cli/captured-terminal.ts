import type { Terminal } from '../../src/cli/terminal/terminal.ts';

/** A terminal that keeps what is written. */
export class CapturedTerminal implements Terminal {
  output = '';
  readonly notes: string[] = [];
  readonly screen = null;

  write(text: string): void {
    this.output += text;
  }

  note(line: string): void {
    this.notes.push(line);
  }

  async stream(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const taken: Uint8Array[] = [];
    for await (const piece of pieces) taken.push(piece);
    this.output += Buffer.concat(taken).toString();
  }
}
