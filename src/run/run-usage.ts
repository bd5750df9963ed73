import type { RunMetrics } from './run-metrics.ts';

/** Receives what runs use up. */
export interface RunUsage {
  add(
    workspace: string,
    amounts: Readonly<Partial<Record<'windows' | 'modelS' | 'areaKm2', number>>>,
    model: string,
  ): void;
}

/**
 * Counts windows and the time of the model for a workspace, beside what else is measured. Requests that were with the model
 * at the same time are counted once.
 */
export function countingMetrics(usage: RunUsage, workspace: string, metrics: RunMetrics | undefined): RunMetrics {
  let countedUntil = -Infinity;
  return {
    runEnded: (outcome, durationMs) => metrics?.runEnded(outcome, durationMs),
    windowAnswered: (source) => metrics?.windowAnswered(source),
    modelAnswered(modelId, outcome, durationMs) {
      metrics?.modelAnswered(modelId, outcome, durationMs);
      const now = performance.now();
      const modelS = (now - Math.max(countedUntil, now - durationMs)) / 1000;
      countedUntil = now;
      usage.add(workspace, { modelS, windows: outcome === 'ok' ? 1 : 0 }, modelId);
    },
  };
}
