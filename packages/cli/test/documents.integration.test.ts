// The first thing that keelson run is for: a real server's documents through a network that does all it can, and every file comes whole, once.
import { expect, test } from 'vitest';
import { faultReport } from '../../../scripts/faults/fault-report.ts';
import { jobLines, makeJobs } from '../../../scripts/faults/jobs.ts';
import { verify } from '../../../scripts/faults/verify.ts';
import { Workplace } from './support/cli.ts';
import { serveDocuments } from './support/documents.ts';

const DOCUMENTS = 5_000;
const SEED = 20;
const RUN = ['run', 'jobs.jsonl', '--out', 'results.jsonl', '--hash', 'sha256', '--max-body', '0', '--max-attempts', '12', '--quiet'];

test(`${DOCUMENTS} documents of nginx come whole through resets, 429, 503, broken bodies, slow answers and an outage of 5 s`, async () => {
  await using served = await serveDocuments(DOCUMENTS, { seed: SEED, outageAtRequest: DOCUMENTS / 2, outageMs: 5_000 });
  using place = new Workplace();
  const jobs = makeJobs(served.files, served.proxy.url, DOCUMENTS);
  place.write('jobs.jsonl', jobLines(jobs));
  const { code, stderr } = await place.run(RUN);
  expect([code, stderr]).toEqual([0, '']);
  expect(verify(place.read('results.jsonl'), jobs)).toMatchObject({ problems: [], lines: DOCUMENTS });
  const { lines, problems } = faultReport(served.proxy);
  console.log(lines.join('\n'));
  expect(problems).toEqual([]);
  expect(served.proxy.wholeAnswers).toBe(DOCUMENTS); // nothing was called again that had come
});
