import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Presented } from '../identity/authenticator.ts';
import { UnauthenticatedError } from '../identity/identity-errors.ts';
import type { Viewer } from '../identity/viewer.ts';
import type { HttpService } from './http-service.ts';

/** Close code of graphql-transport-ws after which clients do not try again. */
const UNAUTHORIZED = 4401;
/** Longest reason of a close frame, bytes. @see RFC 6455, section 5.5 */
const MAX_REASON = 120;

interface Session {
  viewer: Viewer;
  /** Bytes that are counted already. */
  bytesSent: number;
  readonly connection: IncomingMessage['socket'];
  readonly presented: Presented;
}

/** The viewer of each socket, from its `connection_init` on and for as long as the credential is accepted. */
export class SocketViewers {
  private readonly sessions = new Map<WebSocket, Session>();
  private readonly timer: NodeJS.Timeout;

  /** @param recheckMs between looks at all credentials */
  constructor(
    private readonly service: Pick<HttpService, 'authenticator' | 'usage'>,
    recheckMs: number,
  ) {
    this.timer = setInterval(() => void this.recheck(), recheckMs).unref();
  }

  /**
   * Takes the credential from the payload of `connection_init`, which browsers can send, else from the headers of the
   * handshake.
   * @returns false when none is accepted; the socket is closed with 4401 then
   */
  async connect(
    socket: WebSocket,
    { headers, socket: connection }: IncomingMessage,
    payload: Readonly<Record<string, unknown>> | undefined,
  ): Promise<boolean> {
    const presented = {
      authorization: textOf(payload, 'authorization') ?? headers.authorization,
      workspace: textOf(payload, 'terraql-workspace'),
    };
    try {
      const viewer = await this.service.authenticator.viewerOf(presented);
      this.sessions.set(socket, { presented, viewer, connection, bytesSent: connection.bytesWritten });
    } catch (error) {
      if (!(error instanceof UnauthenticatedError)) throw error;
      socket.close(UNAUTHORIZED, error.message.slice(0, MAX_REASON));
      return false;
    }
    socket.once('close', () => {
      const session = this.sessions.get(socket);
      if (session) this.countBytes(session);
      this.sessions.delete(socket);
    });
    return true;
  }

  /** The viewer of a socket that {@link connect} let in. */
  viewerOf(socket: WebSocket): Viewer {
    const session = this.sessions.get(socket);
    if (!session) throw new UnauthenticatedError();
    return session.viewer;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private countBytes(session: Session): void {
    const { bytesWritten } = session.connection;
    this.service.usage.add(session.viewer.workspace, { bytesSent: bytesWritten - session.bytesSent });
    session.bytesSent = bytesWritten;
  }

  private async recheck(): Promise<void> {
    for (const [socket, session] of this.sessions) {
      this.countBytes(session);
      try {
        session.viewer = await this.service.authenticator.viewerOf(session.presented);
      } catch (error) {
        // An outage of the database says nothing of the credential.
        if (error instanceof UnauthenticatedError) socket.close(UNAUTHORIZED, error.message.slice(0, MAX_REASON));
      }
    }
  }
}

/** A text of the payload; names are compared as those of headers are. */
function textOf(payload: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const [, value] = Object.entries(payload ?? {}).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : undefined;
}
