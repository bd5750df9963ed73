import type { AddressInfo } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'node:http';
import S3rver from 's3rver';
import { useTestKeys } from './s3-keys.ts';
import { openS3, type OpenS3 } from '../../src/remote/s3-client.ts';

useTestKeys();

/** An S3 server on a free port with an empty bucket `imagery`. It does not check signatures. */
export class S3Server {
  private constructor(
    private readonly server: Server,
    readonly endpoint: string,
    readonly s3: OpenS3,
  ) {}

  static async start(): Promise<S3Server> {
    const directory = mkdtempSync(join(tmpdir(), 'terraql-s3-'));
    const configureBuckets = [{ name: 'imagery', configs: [] }];
    const service = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets });
    await service.configureBuckets();
    const server = await new Promise<Server>((resolve) => {
      const listening: Server = service.listen(0, '127.0.0.1', () => resolve(listening));
    });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const s3 = await openS3({ endpoint, region: 'us-east-1', anonymous: false, pathStyle: true });
    return new S3Server(server, endpoint, s3);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.s3.client.send(new this.s3.sdk.PutObjectCommand({ Bucket: 'imagery', Key: key, Body: body }));
  }

  close(): void {
    this.s3.client.destroy();
    this.server.closeAllConnections();
    this.server.close();
  }
}
