import type { Router } from 'express';
import { z } from 'zod';
import { BadInputError } from '../errors.ts';
import type { HttpService } from './http-service.ts';
import { DOCUMENT_COST, type Outlet } from './outlet.ts';

const MAX_BODY_BYTES = 10_000;
const NewWorkspace = z.object({ id: z.string(), name: z.string() });

/** `GET` and `POST /workspaces`: only for `terraql workspaces` on the server's machine. */
export function workspaceRoutes(outlet: Outlet, { workspaces }: Pick<HttpService, 'workspaces'>): Router {
  return outlet.resource<Record<string, string>>('/workspaces', {
    role: 'machine',
    cost: DOCUMENT_COST,
    methods: {
      GET: async ({ response }) => void response.json(await workspaces.list()),
      POST: async ({ request, response }) => {
        const asked = NewWorkspace.safeParse(request.body);
        if (!asked.success) throw new BadInputError('The body must be an object with id and name, both texts.');
        response.status(201).json(await workspaces.create(asked.data));
      },
    },
    takesFilter: false,
    maxJsonBytes: MAX_BODY_BYTES,
  });
}
