import type { ProgressUpdate } from '../segmentation/run.store.ts';
import type { RunPhase } from '../segmentation/segmentation.ts';

/** Least time from one write to the next, milliseconds. */
const WRITE_EVERY_MS = 500;
/** Weight of the newest window in the moving average behind the remaining time. */
const NEWEST = 0.2;
/** Largest share of a run's time spent waiting for phases to be written. */
const HELD_UP = 1 / 20;

/** Progress of a run: collects changes and writes the newest state at most twice a second. */
export class RunProgress {
  private readonly begunAt = performance.now();
  private phase: RunPhase = 'reading';
  private windowsDone = 0;
  private windowMs: number | null = null;
  private changes = 0;
  private writing: Promise<void> | null = null;
  private writtenAt = -Infinity;
  private heldUpMs = 0;
  private stopWaiting: () => void = () => undefined;
  private ended = false;

  /** @param write must not reject */
  constructor(
    private readonly windowsTotal: number,
    private readonly write: (progress: ProgressUpdate) => Promise<void>,
  ) {}

  enter(phase: RunPhase): void {
    this.phase = phase;
    this.changed();
  }

  /**
   * Enters a phase that may block further writes. Returns once the phase is written, or at once when waiting would exceed
   * a twentieth of the run's time.
   */
  async enterAndShow(phase: RunPhase): Promise<void> {
    this.enter(phase);
    const now = performance.now();
    const waitMs = Math.max(0, this.writtenAt + WRITE_EVERY_MS - now);
    if (waitMs + this.heldUpMs > HELD_UP * (now - this.begunAt)) return;
    await this.writing;
    this.heldUpMs += performance.now() - now;
  }

  /** @param durationMs time that the window took; null for a window of an earlier attempt */
  windowDone(windowsDone: number, durationMs: number | null): void {
    this.windowsDone = windowsDone;
    if (durationMs !== null) {
      this.windowMs = this.windowMs === null ? durationMs : this.windowMs + NEWEST * (durationMs - this.windowMs);
    }
    this.changed();
  }

  /** Returns once all changes are written. */
  async written(): Promise<void> {
    await this.writing;
  }

  /** Stops writing. @returns when the last write is done */
  async end(): Promise<void> {
    this.ended = true;
    this.stopWaiting();
    await this.writing;
  }

  private changed(): void {
    this.changes += 1;
    if (!this.ended) this.writing ??= this.writeWhenDue().finally(() => (this.writing = null));
  }

  private async writeWhenDue(): Promise<void> {
    for (let written = 0; written !== this.changes && !this.ended;) {
      await this.due();
      if (this.ended) return;
      written = this.changes;
      this.writtenAt = performance.now();
      const { phase, windowsDone, windowsTotal, windowMs } = this;
      const etaS = windowMs === null ? null : ((windowsTotal - windowsDone) * windowMs) / 1000;
      await this.write({ phase, windowsDone, windowsTotal, etaS, advanced: windowMs !== null });
    }
  }

  /** Resolves when the next write is due, or at the end. */
  private due(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, this.writtenAt + WRITE_EVERY_MS - performance.now()));
      this.stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
