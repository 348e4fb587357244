// Measures Keelson: npm run bench -- policies | gate | stacks | leaks
import { gate } from './commands/gate.ts';
import { leaks } from './commands/leaks.ts';
import { policies } from './commands/policies.ts';
import { stacks } from './commands/stacks.ts';

const COMMANDS: Readonly<Record<string, () => Promise<boolean>>> = { policies, gate, stacks, leaks };

const [name = '', ...rest] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) && rest.length === 0 ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(COMMANDS).join(' | ')}`);
  process.exitCode = 2;
} else if (!(await command())) {
  process.exitCode = 1;
}
