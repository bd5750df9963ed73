import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { BadInputError } from '../errors.ts';
import type { Job, JobEstimate, JobQuestions } from '../job/job.ts';
import type { JobScenes } from '../job/job-scenes.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { parseJson } from '../parse-json.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { withoutNulls } from './absent-null.ts';
import { AllowedTo } from './allowed-to.ts';
import { type Connection, toConnection } from './connection.ts';
import type { RequestContext } from './context.ts';
import {
  JobConnectionType,
  JobEstimateType,
  JobProgressType,
  JobType,
  RegisterScenesInput,
  SegmentScenesInput,
  type StacInput,
} from './job.type.ts';
import { askPage, PageArgs } from './page-request.ts';
import { areaOfInterest, type RequestLimits } from './request-limits.ts';
import { SegmentationConnectionType } from './segmentation.type.ts';

const DEFAULTS = { task: 'REASONING', scale: 'AUTO', threshold: 0.5, minAreaM2: 0, force: false } as const;
const DEFAULT_ITEMS = 1000;
const ID_TEXT = 'Identifier of the job.';
const INPUT_TEXT = 'The scenes and the questions.';

@Resolver(() => JobType)
export class JobResolver {
  @AllowedTo('viewer')
  @Query(() => JobType, { nullable: true, description: 'A job by its identifier; null when it does not exist.' })
  job(@Arg('id', () => ID, { description: ID_TEXT }) id: string, @Ctx() context: RequestContext): Promise<Job | null> {
    return context.services.jobs.byId(id);
  }

  @AllowedTo('viewer')
  @Query(() => JobConnectionType, { nullable: true, description: 'Jobs, newest first.' })
  async jobs(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Connection<Job>> {
    const found = await askPage(page, limits.maxPage, (wanted) => services.jobs.list(wanted));
    return toConnection(found, () => services.jobs.count());
  }

  @AllowedTo('viewer')
  @Query(() => JobEstimateType, {
    nullable: true,
    description: 'Estimated cost of `segmentScenes`; nothing is stored.',
  })
  jobEstimate(
    @Arg('input', () => SegmentScenesInput, { description: INPUT_TEXT }) input: SegmentScenesInput,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<JobEstimate> {
    const { which, questions } = read(input, limits);
    return services.jobs.estimate(which, questions);
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, {
    nullable: true,
    description:
      'Asks the same questions about many scenes, as one job. Returns once the scenes are listed; workers do the rest.',
  })
  segmentScenes(
    @Arg('input', () => SegmentScenesInput, { description: INPUT_TEXT }) input: SegmentScenesInput,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Job> {
    const { which, questions } = read(input, limits);
    return services.jobs.segment(which, questions);
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, { nullable: true, description: 'Registers many images, as one job.' })
  registerScenes(
    @Arg('input', () => RegisterScenesInput, { description: 'The images.' }) input: RegisterScenesInput,
    @Ctx() { services }: RequestContext,
  ): Promise<Job> {
    const { stac, urls } = withoutNulls(input);
    return services.jobs.register({ urls, stac: stac && stacQuery(stac) });
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, {
    nullable: true,
    description: 'Pauses a job: no further scene starts until it is resumed. Up to 8 queued runs continue.',
  })
  pauseJob(@Arg('id', () => ID, { description: ID_TEXT }) id: string, @Ctx() context: RequestContext): Promise<Job> {
    return context.services.jobs.pause(id);
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, { nullable: true, description: 'Resumes a paused job.' })
  resumeJob(@Arg('id', () => ID, { description: ID_TEXT }) id: string, @Ctx() context: RequestContext): Promise<Job> {
    return context.services.jobs.resume(id);
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, {
    nullable: true,
    description: 'Cancels a job: no further scene starts, and the runs it started are cancelled. Reused runs continue.',
  })
  cancelJob(@Arg('id', () => ID, { description: ID_TEXT }) id: string, @Ctx() context: RequestContext): Promise<Job> {
    return context.services.jobs.cancel(id);
  }

  @AllowedTo('analyst')
  @Mutation(() => JobType, { nullable: true, description: 'Retries the failed scenes and runs of a job.' })
  retryJob(@Arg('id', () => ID, { description: ID_TEXT }) id: string, @Ctx() context: RequestContext): Promise<Job> {
    return context.services.jobs.retry(id);
  }

  @AllowedTo('viewer')
  @Subscription(() => JobType, {
    subscribe: ({ args, context }: { args: { id: string }; context: RequestContext }) =>
      context.services.jobs.progress(args.id),
    description: 'The job now and after each step, at most once a second; ends when it is final.',
  })
  jobProgress(@Root() job: Job, @Arg('id', () => ID, { description: ID_TEXT }) _id: string): Job {
    return job;
  }

  @FieldResolver(() => JobProgressType, { description: 'Progress of the job.' })
  progress(@Root() { windowsDone, windowsTotal, etaS, scenes, pending }: Job): JobProgressType {
    const fraction = windowsTotal > 0 ? windowsDone / windowsTotal : scenes > 0 ? 1 - pending / scenes : 1;
    return { windowsDone, windowsTotal, etaS, fraction };
  }

  @FieldResolver(() => SegmentationConnectionType, { nullable: true, description: 'Runs of the job, oldest first.' })
  async segmentations(
    @Root() { id, runs }: Job,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Connection<Segmentation>> {
    const found = await askPage(page, limits.maxPage, (wanted) => services.jobs.runs(id, wanted));
    const { queued, running, succeeded, failed, cancelled } = runs;
    return toConnection(found, async () => queued + running + succeeded + failed + cancelled);
  }
}

function read(input: SegmentScenesInput, limits: RequestLimits): { which: JobScenes; questions: JobQuestions } {
  const { filter, ids, stac, urls, areaOfInterest: area, ...asked } = withoutNulls(input);
  const { intersects, ...conditions } = withoutNulls(filter ?? {});
  const checked = {
    ...conditions,
    ...(intersects ? { intersects: parseGeometry(intersects, limits.maxVertices) } : {}),
  };
  return {
    which: { filter: filter && checked, ids, urls, stac: stac && stacQuery(stac) },
    questions: { ...DEFAULTS, ...asked, areaOfInterest: area ? areaOfInterest(area, limits) : null },
  };
}

function stacQuery(input: StacInput): NonNullable<JobScenes['stac']> {
  const { query, limit = DEFAULT_ITEMS, ...rest } = withoutNulls(input);
  const parsed = query === undefined ? undefined : parseJson(query);
  if (query !== undefined && (typeof parsed !== 'object' || parsed === null)) {
    throw new BadInputError('query is not a JSON object.');
  }
  if (rest.bbox && rest.bbox.length !== 4)
    throw new BadInputError(`bbox has ${rest.bbox.length} numbers; it must have 4.`);
  return { ...rest, limit, query: parsed as object | undefined };
}
