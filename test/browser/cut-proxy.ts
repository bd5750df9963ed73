import net from 'node:net';

/** A line to a service that can be cut, as by a router that restarts. */
export class CutProxy {
  private readonly sockets = new Set<net.Socket>();
  private isCut = false;
  private readonly server = net.createServer((client) => {
    if (this.isCut) {
      client.destroy();
      return;
    }
    const upstream = net.connect(this.port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  });

  private constructor(private readonly port: number) {}

  static async to(url: string): Promise<CutProxy> {
    const proxy = new CutProxy(Number(new URL(url).port));
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  /** Breaks all connections and takes no other. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  restore(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
