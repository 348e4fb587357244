// Measures keelson run as users run it, built, against a server on the loopback:
//   npm run bench:run -- throughput [--jobs 50000] [--rounds 5]     about a minute and a half
//   npm run bench:run -- million [--jobs 1000000]                   minutes
import { parseArgs } from 'node:util';
import { million } from './million.ts';
import { throughput } from './throughput.ts';

const USAGE = 'usage: npm run bench:run -- throughput [--jobs N] [--rounds N] | million [--jobs N]';

async function main(): Promise<boolean | undefined> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { jobs: { type: 'string' }, rounds: { type: 'string', default: '5' } },
  });
  switch (positionals.join(' ')) {
    case 'throughput':
      return await throughput({ jobs: Number(values.jobs ?? 50_000), rounds: Number(values.rounds) });
    case 'million':
      return await million(Number(values.jobs ?? 1_000_000));
    default:
      return undefined;
  }
}

const ok = await main();
if (ok === undefined) console.error(USAGE);
process.exitCode = ok === undefined ? 2 : Number(!ok);
