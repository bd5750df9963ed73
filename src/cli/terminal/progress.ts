import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

const FIRST_LINE_MS = 2000;
const LINE_EVERY_MS = 5000;
const BAR_WIDTH = 30;

/**
 * Progress of a piece of work: a bar on a terminal, else a line after two seconds and every five seconds from then on.
 */
export class Progress {
  private readonly begunAt = performance.now();
  private readonly bar: SingleBar | null;
  private readonly timer: NodeJS.Timeout;
  private fraction: number | null = null;
  private detail = '';
  private lineAt: number;

  /** @param label activity, such as "Reading image.tif" */
  constructor(
    private readonly terminal: Terminal,
    private readonly label: string,
  ) {
    this.lineAt = this.begunAt + FIRST_LINE_MS;
    this.bar =
      terminal.screen &&
      new SingleBar({ stream: terminal.screen, format: () => this.text(), clearOnComplete: true, hideCursor: true });
    this.bar?.start(1, 0);
    this.timer = setInterval(() => this.show(), 200).unref();
  }

  /** @param fraction 0 to 1; null when unknown */
  update(fraction: number | null, detail: string): void {
    this.fraction = fraction;
    this.detail = detail;
    this.show();
  }

  /** Removes the bar. */
  stop(): void {
    clearInterval(this.timer);
    this.bar?.stop();
  }

  private show(): void {
    if (this.bar) {
      this.bar.update(this.fraction ?? 0);
      return;
    }
    if (performance.now() < this.lineAt) return;
    this.lineAt = performance.now() + LINE_EVERY_MS;
    this.terminal.note(this.text());
  }

  private text(): string {
    const seconds = `${Math.round((performance.now() - this.begunAt) / 1000)} s`;
    const parts = this.detail === '' ? [seconds] : [this.detail, seconds];
    if (this.fraction === null) return `${this.label} (${parts.join(', ')})`;
    const filled = Math.round(this.fraction * BAR_WIDTH);
    const bar = this.terminal.screen ? `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ` : '';
    return `${this.label} ${bar}${Math.round(100 * this.fraction)} % (${parts.join(', ')})`;
  }
}

/** Runs work of unknown length under a {@link Progress} that counts the seconds. */
export async function withProgress<T>(terminal: Terminal, label: string, work: () => Promise<T>): Promise<T> {
  const progress = new Progress(terminal, label);
  try {
    return await work();
  } finally {
    progress.stop();
  }
}
