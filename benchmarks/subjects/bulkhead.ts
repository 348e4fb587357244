import async, { type AsyncResultIterator } from 'async';
import Bottleneck from 'bottleneck';
import { bulkhead as cockatielBulkhead } from 'cockatiel';
import { Effect, Semaphore } from 'effect';
import * as fastq from 'fastq';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import type { Group, Subject } from '../harness/case.ts';
import { limitsConcurrency, returnsTheValue } from '../harness/checks.ts';
import { BACKLOG_SHAPES, SHAPES } from '../harness/shapes.ts';
import { asAsyncFunction } from './async.ts';
import { callOf, effectOf, loopOf } from './effect.ts';
import { ourBulkhead } from './keelson.ts';

const NO_LIMIT = 1_000_000_000;

const keelsonBulkhead: Subject = {
  library: 'keelson',
  make(work, settings) {
    const policy = ourBulkhead(settings);
    return () => policy.execute(work);
  },
};

const cockatiel: Subject = {
  library: 'cockatiel',
  make(work, { maxConcurrency }) {
    const policy = cockatielBulkhead(maxConcurrency, NO_LIMIT);
    return () => policy.execute(work);
  },
};

const fastqPromise: Subject = {
  library: 'fastq',
  make(work, { maxConcurrency }) {
    const queue = fastq.promise<unknown, undefined, number>(() => work(), maxConcurrency);
    return () => queue.push(undefined);
  },
};

const asyncQueue: Subject = {
  library: 'async',
  make(work, { maxConcurrency }) {
    const queue = async.queue(asAsyncFunction<AsyncResultIterator<undefined, number>>(work), maxConcurrency);
    return () => queue.push(undefined);
  },
};

const limit: Subject = {
  library: 'p-limit',
  make(work, { maxConcurrency }) {
    const limited = pLimit(maxConcurrency);
    return () => limited(() => work());
  },
};

const queue: Subject = {
  library: 'p-queue',
  make(work, { maxConcurrency }) {
    const queued = new PQueue({ concurrency: maxConcurrency });
    return () => queued.add(() => work());
  },
};

const semaphore: Subject = {
  library: 'effect',
  make: (work, { maxConcurrency }) => callOf(Semaphore.makeUnsafe(maxConcurrency).withPermits(1)(effectOf(work))),
};

export const bulkheadGroup: Group = {
  name: 'bulkhead',
  about: 'a limit of concurrency that is never reached',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await limitsConcurrency(subject);
  },
  subjects: [
    keelsonBulkhead,
    cockatiel,
    fastqPromise,
    asyncQueue,
    limit,
    queue,
    {
      library: 'bottleneck',
      maxInFlight: 10,
      isTimerBound: true,
      make(work, { maxConcurrency }) {
        const limiter = new Bottleneck({ maxConcurrent: maxConcurrency });
        return () => limiter.schedule(() => work());
      },
    },
    semaphore,
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: semaphore.make,
      makeLoop: (work, { maxConcurrency }) =>
        loopOf(Semaphore.makeUnsafe(maxConcurrency).withPermits(1)(Effect.suspend(() => effectOf(work)))),
    },
  ],
};

/** How many may run at once while a backlog is worked off. */
const BACKLOG_CONCURRENCY = 100;

const behindTheLimit = (subject: Subject, maxInFlight = Number.POSITIVE_INFINITY): Subject => ({
  ...subject,
  maxInFlight,
  make: (work, settings) => subject.make(work, { ...settings, maxConcurrency: Math.min(settings.maxConcurrency, BACKLOG_CONCURRENCY) }),
});

/** All calls are made at once and wait in the queue; effect's and cockatiel's take time that grows with the square of its length. */
export const backlogGroup: Group = {
  name: 'backlog',
  about: `all calls come at once, ${BACKLOG_CONCURRENCY} may run`,
  shapes: BACKLOG_SHAPES,
  check: limitsConcurrency,
  subjects: [
    behindTheLimit(keelsonBulkhead),
    behindTheLimit(cockatiel, 10_000),
    behindTheLimit(fastqPromise),
    behindTheLimit(asyncQueue),
    behindTheLimit(limit),
    behindTheLimit(queue),
    behindTheLimit(semaphore, 10_000),
  ],
};
