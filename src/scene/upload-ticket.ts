import { z } from 'zod';
import type { WrittenBlob } from '../blob-store.ts';

/** What was announced of an upload. */
export const Ticket = z.object({
  /** Of who announced it; absent from tickets that are older than workspaces. */
  workspace: z.string().optional(),
  filename: z.string(),
  sizeBytes: z.number(),
  /** What the bytes must have, lower-case hex. */
  sha256: z.string().optional(),
  /** Whether a client may write to the bucket itself. */
  direct: z.boolean().optional(),
  tokenSha256: z.string().regex(/^[0-9a-f]{64}$/),
  expiresAt: z.iso.datetime(),
});
export type Ticket = z.infer<typeof Ticket>;
/** What came of it. */
export const Received: z.ZodType<WrittenBlob> = z.object({ sizeBytes: z.number(), sha256: z.string() });
/** Which process moves the bytes to which key, to register them. */
export const Registered = z.object({ key: z.string(), process: z.string() });
