// The same documents four times over, with the command killed again and again: what was durable is never called again, and nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from 'keelson';
import { expect, test } from 'vitest';
import { faultReport } from '../../../scripts/faults/fault-report.ts';
import { jobLines, makeJobs } from '../../../scripts/faults/jobs.ts';
import { verify } from '../../../scripts/faults/verify.ts';
import { Workplace } from './support/cli.ts';
import { serveDocuments } from './support/documents.ts';

const DOCUMENTS = 5_000;
const JOBS = 20_000;
const SEED = 21;
const KILLS = 6;
const CONCURRENCY = 64;
const RUN = [
  'run',
  'jobs.jsonl',
  '--out',
  'results.jsonl',
  '--hash',
  'sha256',
  '--max-body',
  '0',
  '--max-attempts',
  '12',
  '--quiet',
  '--resume',
];

test(`${JOBS} calls with ${KILLS} times kill -9 in between lose nothing and repeat at most ${CONCURRENCY} a kill`, async () => {
  await using served = await serveDocuments(DOCUMENTS, { seed: SEED, outageAtRequest: JOBS / 2, outageMs: 5_000 });
  using place = new Workplace();
  const jobs = makeJobs(served.files, served.proxy.url, JOBS);
  place.write('jobs.jsonl', jobLines(jobs));
  const random = seededRandom(SEED);
  for (let kill = 0; kill < KILLS; kill++) {
    const run = place.start(RUN);
    await sleep(1_000 + random.next() * 4_000);
    run.child.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL'); // it was not over by itself
  }
  const { code, stderr } = await place.run(RUN);
  expect([code, stderr]).toEqual([0, '']);
  expect(verify(place.read('results.jsonl'), jobs)).toMatchObject({ problems: [], lines: JOBS });
  const { lines, problems } = faultReport(served.proxy);
  console.log([...lines, `${served.proxy.wholeAnswers - JOBS} calls were repeated after ${KILLS} kills`].join('\n'));
  expect(problems).toEqual([]);
  expect(served.proxy.wholeAnswers - JOBS).toBeLessThanOrEqual(CONCURRENCY * KILLS);
});
