export {
  type AddedFeatures,
  type Feature,
  type FeatureRequest,
  type Progress,
  type Scene,
  type Segmentation,
  TerraqlClient,
  type TerraqlOptions,
} from './client.ts';
export { TerraqlError } from './terraql-error.ts';
export { verifyWebhook, type WebhookMessage } from './webhook.ts';
