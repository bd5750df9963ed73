import type { AdjacencyGraphService } from './analysis/adjacency-graph.service.ts';
import type { ChangeService } from './analysis/change.service.ts';
import type { StatisticsService } from './analysis/statistics.service.ts';
import type { ZoneService } from './analysis/zone.service.ts';
import type { EventService } from './event/event.service.ts';
import type { ExportService } from './export/export.service.ts';
import type { StoredExportService } from './export/stored-export.service.ts';
import type { FeatureService } from './feature/feature.service.ts';
import type { AuditService } from './identity/audit.service.ts';
import type { QuotaService } from './identity/quota.service.ts';
import type { UsageService } from './identity/usage.service.ts';
import type { Workspace } from './identity/workspace.ts';
import type { ApiKeyService } from './identity/api-key.service.ts';
import type { Viewer } from './identity/viewer.ts';
import type { ModelInfo } from './inference/segmentation-model.ts';
import type { JobService } from './job/job.service.ts';
import type { DeletionService } from './retention/deletion.service.ts';
import type { ReviewService } from './review/review.service.ts';
import type { SceneService } from './scene/scene.service.ts';
import type { UploadService } from './scene/upload.service.ts';
import type { AskedPrompts } from './segmentation/prompts.ts';
import type { SegmentationService } from './segmentation/segmentation.service.ts';
import type { FeatureTileService } from './tiles/feature-tile.service.ts';
import type { SceneTileService } from './tiles/scene-tile.service.ts';
import type { SegmentationTileService } from './tiles/segmentation-tile.service.ts';
import type { ViewService } from './view/view.service.ts';
import type { WebhookService } from './webhook/webhook.service.ts';

/** The installed models, as far as clients may know of them. */
export interface ModelList {
  list(): readonly ModelInfo[];
  isReady(id: string): boolean;
}

/** Everything that outlets may ask for. All services of one object work for one viewer. */
export interface Services {
  readonly scenes: SceneService;
  readonly uploads: UploadService;
  readonly segmentations: SegmentationService;
  readonly prompts: AskedPrompts;
  readonly jobs: JobService;
  readonly features: FeatureService;
  readonly reviews: ReviewService;
  readonly views: ViewService;
  readonly featureTiles: FeatureTileService;
  readonly sceneTiles: SceneTileService;
  readonly segmentationTiles: SegmentationTileService;
  readonly exports: ExportService;
  readonly storedExports: StoredExportService;
  readonly statistics: StatisticsService;
  readonly changes: ChangeService;
  readonly zones: ZoneService;
  readonly graphs: AdjacencyGraphService;
  readonly apiKeys: ApiKeyService;
  readonly audit: AuditService;
  readonly usage: UsageService;
  readonly quotas: QuotaService;
  readonly workspaces: { find(id: string): Promise<Workspace | null> };
  readonly deletions: DeletionService;
  readonly events: EventService;
  readonly webhooks: WebhookService;
  readonly models: ModelList;
}

/** Makes the services of a viewer. Outlets call it once per request and keep nothing of it. */
export type ServicesFor = (viewer: Viewer) => Services;
