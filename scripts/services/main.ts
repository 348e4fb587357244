// Says which servers for the integration tests are at hand, and fetches those that are not:
//   node scripts/services/main.ts [nginx] [redis] [chromium] [--cache DIR]
import { parseArgs } from 'node:util';
import { SERVICES, type ServiceName } from './catalog.ts';
import { provide } from './provide.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { cache: { type: 'string' } } });
const names = Object.keys(SERVICES) as ServiceName[];
const unknown = positionals.find((name) => !Object.hasOwn(SERVICES, name));
if (unknown !== undefined) {
  console.error(`unknown service ${JSON.stringify(unknown)}; there are ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length === 0 ? names : (positionals as ServiceName[])) {
    try {
      const { command, from } = await provide(name, { cache: values.cache });
      console.log(`${name}: ${command} (from ${from})`);
    } catch (error) {
      console.error(`${name}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}
