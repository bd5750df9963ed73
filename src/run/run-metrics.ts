/** Receives what runs of this process measure. */
export interface RunMetrics {
  /** @param outcome `done`, or the code of the failure */
  runEnded(outcome: string, durationMs: number): void;
  /** A window is answered, by the model or by an earlier attempt. */
  windowAnswered(source: 'model' | 'kept'): void;
  /** @param outcome `ok`, or the code of the failure */
  modelAnswered(modelId: string, outcome: string, durationMs: number): void;
}
