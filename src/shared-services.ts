import { LRUCache } from 'lru-cache';
import type { ModelRegistry } from './inference/model-registry.ts';
import { AdjacencyGraphRepository } from './analysis/adjacency-graph.repository.ts';
import { AdjacencyGraphService } from './analysis/adjacency-graph.service.ts';
import { ChangeRepository } from './analysis/change.repository.ts';
import { ChangeService } from './analysis/change.service.ts';
import { StatisticsRepository } from './analysis/statistics.repository.ts';
import { StatisticsService } from './analysis/statistics.service.ts';
import { ZoneRepository } from './analysis/zone.repository.ts';
import { ZoneService } from './analysis/zone.service.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import type { EventFeed } from './event/event-feed.ts';
import { EventRepository } from './event/event.repository.ts';
import { EventService } from './event/event.service.ts';
import { ExportService } from './export/export.service.ts';
import { StoredExportRepository } from './export/stored-export.repository.ts';
import { StoredExportService } from './export/stored-export.service.ts';
import { FeatureExportRepository } from './export/feature-export.repository.ts';
import { FeatureRepository } from './feature/feature.repository.ts';
import { FeatureService } from './feature/feature.service.ts';
import { ApiKeyRepository } from './identity/api-key.repository.ts';
import { ApiKeyService } from './identity/api-key.service.ts';
import { AuditRepository } from './identity/audit.repository.ts';
import { AuditService } from './identity/audit.service.ts';
import type { QuotaLookup } from './identity/quota.ts';
import { QuotaRepository } from './identity/quota.repository.ts';
import { QuotaService } from './identity/quota.service.ts';
import type { RateLimits } from './identity/rate-limits.ts';
import type { UsageMeter } from './identity/usage.ts';
import { UsageRepository } from './identity/usage.repository.ts';
import { UsageService } from './identity/usage.service.ts';
import type { WorkspaceRepository } from './identity/workspace.repository.ts';
import type { KeyRing } from './identity/key-ring.ts';
import { JobRepository } from './job/job.repository.ts';
import { JobService } from './job/job.service.ts';
import type { BlobStore } from './blob-store.ts';
import type { Room } from './quota.ts';
import type { OpenRemoteFiles } from './remote/open-remote-files.ts';
import { SceneLocator } from './scene/scene-locator.ts';
import { DeletionRepository } from './retention/deletion.repository.ts';
import { DeletionService } from './retention/deletion.service.ts';
import { ReviewRepository } from './review/review.repository.ts';
import { ReviewService } from './review/review.service.ts';
import { SceneRepository } from './scene/scene.repository.ts';
import { type ImageOpener, SceneService } from './scene/scene.service.ts';
import { StoredBlobsRepository } from './scene/stored-blobs.repository.ts';
import { SourceFingerprints } from './scene/source-fingerprint.ts';
import { UploadService } from './scene/upload.service.ts';
import type { SegmentationEvents } from './segmentation/segmentation-events.ts';
import { PromptRepository } from './segmentation/prompt.repository.ts';
import { SegmentationRepository } from './segmentation/segmentation.repository.ts';
import { SegmentationService } from './segmentation/segmentation.service.ts';
import { TileFetcher } from './tile-source/tile-fetcher.ts';
import { TilePictures } from './tile-source/tile-pictures.ts';
import type { Services, ServicesFor } from './services.ts';
import type { FeatureTile } from './tiles/feature-tile.ts';
import { FeatureTileRepository } from './tiles/feature-tile.repository.ts';
import { FeatureTileService } from './tiles/feature-tile.service.ts';
import type { OpenScenes } from './tiles/open-scenes.ts';
import { type PictureTile, SceneTileService } from './tiles/scene-tile.service.ts';
import { PartProbabilityRepository } from './tiles/part-probability.repository.ts';
import type { MaskCache } from './tiles/segmentation-tile.service.ts';
import { SegmentationTileService } from './tiles/segmentation-tile.service.ts';
import type { TileCache } from './tiles/tile-cache.ts';
import { ViewRepository } from './view/view.repository.ts';
import { ViewService } from './view/view.service.ts';
import { WebhookRepository } from './webhook/webhook.repository.ts';
import { WebhookService } from './webhook/webhook.service.ts';

/** What the service needs of the models, wherever they run. */
export type Models = Pick<ModelRegistry, 'list' | 'isReady' | 'get' | 'close'>;

/** What all viewers share. */
export interface SharedParts {
  readonly config: Config;
  readonly keys: KeyRing;
  readonly workspaces: WorkspaceRepository;
  /** Counts what workspaces use up. */
  readonly usage: UsageMeter;
  readonly quotas: QuotaLookup;
  readonly rates: RateLimits;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly remote: OpenRemoteFiles;
  readonly images: ImageOpener;
  readonly models: Models;
  readonly events: SegmentationEvents;
  readonly feed: EventFeed;
  readonly featureTiles: TileCache<FeatureTile>;
  readonly sceneTiles: TileCache<PictureTile>;
  readonly openScenes: OpenScenes;
  readonly masks: MaskCache;
  /** Called when an export waits for a worker. */
  readonly onExport: () => void;
}

/** @param owner whose uploads can be registered; undefined: every workspace */
export function uploadsOver(
  { config, blobs, database }: Pick<SharedParts, 'config' | 'blobs' | 'database'>,
  owner?: { readonly workspace: string; readonly room: Room },
): UploadService {
  const stored = new StoredBlobsRepository(database.forRuns);
  return new UploadService(blobs, {
    maxBytes: config.TERRAQL_MAX_BYTES,
    ttlS: config.TERRAQL_UPLOAD_TTL_S,
    isStored: async (blobKey) => (await stored.storedBlobs([blobKey])).has(blobKey),
    ...owner,
  });
}

/** Viewers whose services are kept for their next request. */
const KEPT_VIEWERS = 500;

/** Makes the services of a viewer: the one place where the viewer meets what is stored. They hold nothing of a request. */
export function servicesOver(shared: SharedParts): ServicesFor {
  const make = servicesMaker(shared);
  const kept = new LRUCache<string, Services>({ max: KEPT_VIEWERS });
  return (viewer) => {
    const { workspace, subject, role, isMachine } = viewer;
    const key = JSON.stringify([workspace, subject, role, isMachine]);
    const known = kept.get(key);
    if (known) return known;
    const services = make(viewer);
    kept.set(key, services);
    return services;
  };
}

function servicesMaker(shared: SharedParts): ServicesFor {
  const { config, keys, blobs, remote, images, models, events } = shared;
  const { featureTiles, sceneTiles, openScenes, masks } = shared;
  const maxVertices = config.TERRAQL_MAX_VERTICES;
  const nearM = config.TERRAQL_NEAR_M;
  const fingerprints = new SourceFingerprints();
  const maxBytes = config.TERRAQL_MAX_BYTES;
  const tiles = new TilePictures(new TileFetcher(remote.http, remote.pool), images, {
    maxTiles: config.TERRAQL_MAX_TILES,
    maxPixels: config.TERRAQL_MAX_PIXELS,
    maxBytes,
  });
  return (viewer) => {
    const { workspace, subject } = viewer;
    const database = shared.database.forWorkspace(workspace);
    const quotas = new QuotaService(new QuotaRepository(database), shared.quotas, shared.rates, workspace);
    const admit: Room['admit'] = (...asked) => quotas.admit(...asked);
    const uploads = uploadsOver(shared, { workspace, room: { admit } });
    const roots = config.TERRAQL_SCENE_ROOTS;
    const locator = new SceneLocator(blobs, uploads, remote.files, { roots, maxBytes, fingerprints, tiles });
    const scenes = new SceneService(new SceneRepository(database), locator, images, {
      admit,
      onKept: (bytesStored) => shared.usage.add(workspace, { bytesStored }),
    });
    const segmentations = new SegmentationService(new SegmentationRepository(database), scenes, models, events, {
      maxPrompts: config.TERRAQL_MAX_PROMPTS,
      maxWindows: config.TERRAQL_MAX_WINDOWS,
      quotas: () => shared.quotas.of(workspace),
    });
    const features = new FeatureService(new FeatureRepository(database), { maxVertices, nearM });
    const exports = new ExportService(new FeatureExportRepository(database), features, {
      maxFeatures: config.TERRAQL_MAX_EXPORT,
    });
    const views = new ViewService(new ViewRepository(database), features);
    return {
      scenes,
      uploads,
      segmentations,
      prompts: new PromptRepository(database),
      jobs: new JobService(new JobRepository(database), { scenes, segmentations, http: remote.http }),
      features,
      reviews: new ReviewService(new ReviewRepository(database), subject),
      views,
      deletions: new DeletionService(new DeletionRepository(database), config.TERRAQL_KEEP_DELETIONS_DAYS),
      events: new EventService(new EventRepository(database), shared.feed),
      webhooks: new WebhookService(new WebhookRepository(database), features, views, subject),
      sceneTiles: new SceneTileService(scenes, openScenes, sceneTiles, workspace),
      segmentationTiles: new SegmentationTileService(
        segmentations,
        scenes,
        new PartProbabilityRepository(database),
        masks,
        sceneTiles,
        workspace,
      ),
      featureTiles: new FeatureTileService(new FeatureTileRepository(database), features, featureTiles, workspace),
      exports,
      storedExports: new StoredExportService(new StoredExportRepository(database), exports, {
        ttlS: config.TERRAQL_EXPORT_TTL_S,
        onCreate: shared.onExport,
        room: { admit },
      }),
      statistics: new StatisticsService(features, new StatisticsRepository(database)),
      changes: new ChangeService(segmentations, scenes, new ChangeRepository(database)),
      zones: new ZoneService(features, new ZoneRepository(database), { maxVertices }),
      graphs: new AdjacencyGraphService(features, new AdjacencyGraphRepository(database), { nearM }),
      apiKeys: new ApiKeyService(new ApiKeyRepository(database, workspace), subject, (id) => keys.forget(id)),
      audit: new AuditService(new AuditRepository(database, workspace), viewer),
      usage: new UsageService(new UsageRepository(database, workspace), shared.usage),
      quotas,
      workspaces: shared.workspaces,
      models,
    };
  };
}
