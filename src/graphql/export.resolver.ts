import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { BadInputError } from '../errors.ts';
import type { StoredExport } from '../export/stored-export.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import { withoutNulls } from './absent-null.ts';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import { ExportInput, ExportType } from './export.type.ts';
import { DateTimeScalar } from './scalars.ts';

@Resolver(() => ExportType)
export class ExportResolver {
  @AllowedTo('viewer')
  @Query(() => [ExportType], { nullable: true, description: 'Stored files that have not expired, newest first.' })
  exports(@Ctx() { services }: RequestContext): Promise<StoredExport[]> {
    return services.storedExports.list();
  }

  @AllowedTo('viewer')
  @Query(() => ExportType, {
    nullable: true,
    description: 'A stored file; null when it does not exist or has expired.',
  })
  export(
    @Arg('id', () => ID, { description: 'Identifier of the export.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<StoredExport | null> {
    return services.storedExports.byId(id);
  }

  @FieldResolver(() => String, { nullable: true, description: 'URL of the file; null until SUCCEEDED.' })
  url(@Root() { id, state, format }: StoredExport, @Ctx() { links, services }: RequestContext): string | null {
    return state === 'SUCCEEDED' ? links.absolute(`/exports/${id}/${services.storedExports.fileName(format)}`) : null;
  }

  @FieldResolver(() => DateTimeScalar, { description: 'When it was requested.' })
  createdAt(@Root() { createdAt }: StoredExport): Date {
    return createdAt;
  }

  @FieldResolver(() => DateTimeScalar, { nullable: true, description: 'When it reached its final state.' })
  finishedAt(@Root() { finishedAt }: StoredExport): Date | null {
    return finishedAt;
  }

  @FieldResolver(() => DateTimeScalar, { description: 'When it is deleted.' })
  expiresAt(@Root() { expiresAt }: StoredExport): Date {
    return expiresAt;
  }

  @AllowedTo('analyst')
  @Mutation(() => ExportType, {
    nullable: true,
    description: 'Creates a file of features in the background. Programs that open files over HTTP read it in parts.',
  })
  async createExport(
    @Arg('input', () => ExportInput, { description: 'Contents of the file.' }) input: ExportInput,
    @Ctx() { services }: RequestContext,
  ): Promise<StoredExport> {
    const { format, filter: given, view: slug, orderBy, ...options } = withoutNulls(input);
    if (given && slug !== undefined) throw new BadInputError('Give either a view or a filter.');
    const view = slug === undefined ? null : await services.views.requireSlug(slug);
    const filter = view?.filter ?? (given ? (withoutNulls(given) as RequestedFilter) : {});
    const order = orderBy ?? view?.order ?? undefined;
    const { limit, precision, simplifyM, crs, include } = options;
    return services.storedExports.create(format, { filter, order, limit, precision, simplifyM, crs, include });
  }

  @AllowedTo('analyst')
  @Mutation(() => ExportType, { nullable: true, description: 'Cancels an export that is QUEUED or RUNNING.' })
  cancelExport(
    @Arg('id', () => ID, { description: 'Identifier of the export.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<StoredExport> {
    return services.storedExports.cancel(id);
  }
}
