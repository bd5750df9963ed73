/**
 * Sets the variables from which the client takes its keys: s3rver knows these and no others, moto takes any. Test files of
 * one process share its environment, so all of them use the same.
 */
export function useTestKeys(): void {
  process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
}
