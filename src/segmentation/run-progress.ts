import type { RunPhase, SegmentationProgress } from './segmentation.ts';

/** Least time from one write to the next, milliseconds. */
const WRITE_EVERY_MS = 500;
/** Share of the newest window in the mean that the remaining time is told from. */
const NEWEST = 0.2;

/** How far a run is: gathers what happens and writes it, the newest state last and at most twice a second. */
export class RunProgress {
  private phase: RunPhase = 'reading';
  private windowsDone = 0;
  private windowMs: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();
  private writtenAt = -Infinity;
  private ended = false;

  /** @param write must not reject */
  constructor(
    private readonly windowsTotal: number,
    private readonly write: (progress: SegmentationProgress) => Promise<void>,
  ) {}

  enter(phase: RunPhase): void {
    this.phase = phase;
    this.changed();
  }

  /** @param durationMs time that the window took; null for one that was done before */
  windowDone(windowsDone: number, durationMs: number | null): void {
    this.windowsDone = windowsDone;
    if (durationMs !== null) {
      this.windowMs = this.windowMs === null ? durationMs : this.windowMs + NEWEST * (durationMs - this.windowMs);
    }
    this.changed();
  }

  /** Writes nothing any more. @returns when the last write is done */
  async end(): Promise<void> {
    this.ended = true;
    if (this.timer) clearTimeout(this.timer);
    await this.writing;
  }

  private changed(): void {
    if (this.ended) return;
    this.timer ??= setTimeout(
      () => {
        this.writing = this.writeNow();
      },
      Math.max(0, this.writtenAt + WRITE_EVERY_MS - performance.now()),
    );
  }

  private async writeNow(): Promise<void> {
    this.writtenAt = performance.now();
    const { phase, windowsDone, windowsTotal, windowMs } = this;
    const left = windowsTotal - windowsDone;
    await this.write({ phase, windowsDone, windowsTotal, etaS: windowMs === null ? null : (left * windowMs) / 1000 });
    this.timer = null;
    if (this.phase !== phase || this.windowsDone !== windowsDone) this.changed();
  }
}
