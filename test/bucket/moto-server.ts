import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { useTestKeys } from '../remote/s3-keys.ts';
import { openS3, type OpenS3 } from '../../src/remote/s3-client.ts';

/** A Python that has `moto[server]` of PyPI. */
const python = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
const SCRIPT = path.join(import.meta.dirname, 'moto-server.py');

/** Whether the server can be started here; it must be in CI. */
export const hasMoto = spawnSync(python, ['-c', 'import moto.server']).status === 0;
if (!hasMoto) {
  const reason = `${python} has no moto; pip install 'moto[server]' to test files in a bucket`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
}

export const BUCKET = 'terraql';

useTestKeys();

/** An S3 server that honours conditional writes, with an empty bucket. */
export class MotoServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly endpoint: string,
    readonly s3: OpenS3,
  ) {}

  static async start(): Promise<MotoServer> {
    const child = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [endpoint] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`moto ended with ${code}`))),
    ])) as [string];
    const server = new MotoServer(child, endpoint, await clientOf(endpoint));
    await server.s3.client.send(new server.s3.sdk.CreateBucketCommand({ Bucket: BUCKET }));
    return server;
  }

  /** A client of its own, as another process has. */
  client(): Promise<OpenS3> {
    return clientOf(this.endpoint);
  }

  /** Keys of all objects below a prefix. */
  async keys(Prefix: string): Promise<string[]> {
    const command = new this.s3.sdk.ListObjectsV2Command({ Bucket: BUCKET, Prefix });
    return ((await this.s3.client.send(command)).Contents ?? []).map(({ Key }) => Key!);
  }

  /** Multipart uploads that are neither complete nor aborted. */
  async unfinished(): Promise<number> {
    const command = new this.s3.sdk.ListMultipartUploadsCommand({ Bucket: BUCKET });
    return ((await this.s3.client.send(command)).Uploads ?? []).length;
  }

  close(): void {
    this.s3.client.destroy();
    this.child.stdin?.end();
  }
}

const clientOf = (endpoint: string): Promise<OpenS3> =>
  openS3({ endpoint, region: 'us-east-1', anonymous: false, pathStyle: true, attempts: 3 });
