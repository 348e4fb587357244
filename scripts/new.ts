// Writes the files of a new policy, which compile and pass their test: npm run new -- policy NAME
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { House } from './floors/house.ts';
import { writePictures } from './floors/picture.ts';
import { runProgram, toolPath } from './lib/processes.ts';

const TEMPLATES = fileURLToPath(new URL('templates/policy/', import.meta.url));
const INDEX = 'packages/core/src/index.ts';
const CODES = 'packages/core/src/errors/error-codes.ts';
const OUTCOMES = 'packages/core/src/outcome/classify.ts';
const FLOORS = 'scripts/floors.json';
const POLICY_FLOOR = 3;

/** Writes the cast of the policy `name` below `root`, and returns the files that are new or changed. Throws if the room is taken. */
export async function newPolicy(root: string, name: string): Promise<string[]> {
  if (!/^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name for a policy; write it in small letters with dashes: circuit-breaker`);
  }
  const room = `packages/core/src/${name}`;
  if (existsSync(join(root, room))) {
    throw new Error(`${room}/ exists already`);
  }
  const exported = camel(name);
  if (isKeyword(exported) || new RegExp(`[ {]${exported}[ ,]`).test(readFileSync(join(root, INDEX), 'utf8'))) {
    throw new Error(`${JSON.stringify(name)} is no name for a policy: ${exported} is a word of the language, or exported already`);
  }
  const cast = {
    'room.ts.txt': `${room}/${name}.ts`,
    'layer.ts.txt': `${room}/${name}-layer.ts`,
    'error.ts.txt': `${room}/${name}-error.ts`,
    'room.test.ts.txt': `${room}/${name}.test.ts`,
    'page.md.txt': `docs/policies/${name}.md`,
    'changeset.md.txt': `.changeset/${name}.md`,
  };
  for (const [template, path] of Object.entries(cast)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), fill(readFileSync(join(TEMPLATES, template), 'utf8'), name));
  }
  edit(root, INDEX, (text) => text + fill(EXPORT_LINES, name));
  edit(root, CODES, (text) => insertBefore(text, "  'ERR_UNSUPPORTED'", fill(CODE_LINE, name)));
  edit(root, OUTCOMES, (text) => insertBefore(text, '  ERR_UNSUPPORTED:', fill(OUTCOME_LINE, name)));
  edit(root, FLOORS, (text) => addRoom(text, name));
  writePictures(root, JSON.parse(readFileSync(join(root, FLOORS), 'utf8')) as House);
  const files = [...Object.values(cast), INDEX, CODES, OUTCOMES, FLOORS];
  const { ok, output } = await runProgram(process.execPath, [toolPath('biome'), 'check', '--write', '--colors=off', ...files], {
    cwd: root,
  });
  if (!ok) {
    throw new Error(`the files are written, but biome refuses them\n${output}`);
  }
  return files;
}

const EXPORT_LINES = `
export { camelName, camelNameDefaults, PascalName, type PascalNameOptions, type PascalNameStatistics } from './kebab-name/kebab-name.ts';
export { PascalNameError, type PascalNameErrorDetails } from './kebab-name/kebab-name-error.ts';
`;
const CODE_LINE = "  'ERR_UPPER_NAME',\n";
const OUTCOME_LINE = "  ERR_UPPER_NAME: Object.freeze({ kind: 'overloaded', origin: 'local' }),\n";

/** Puts the name, in each of its spellings, in place of the templates'. */
function fill(template: string, name: string): string {
  const inCamel = camel(name);
  return template
    .replaceAll('kebab-name', name)
    .replaceAll('PascalName', inCamel.charAt(0).toUpperCase() + inCamel.slice(1))
    .replaceAll('camelName', inCamel)
    .replaceAll('UPPER_NAME', name.toUpperCase().replaceAll('-', '_'));
}

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function isKeyword(word: string): boolean {
  return ts.identifierToKeywordKind(ts.factory.createIdentifier(word)) !== undefined;
}

function addRoom(text: string, name: string): string {
  const house = JSON.parse(text) as { floors: { rooms: string[] }[] };
  if (house.floors.some(({ rooms }) => rooms.includes(name))) {
    return text; // planned already
  }
  house.floors[POLICY_FLOOR]?.rooms.push(name);
  return JSON.stringify(house, null, 2);
}

function insertBefore(text: string, anchor: string, line: string): string {
  const at = text.indexOf(anchor);
  if (at < 0) {
    throw new Error(`there is no line that starts with ${anchor.trim()} to put ${line.trim()} before`);
  }
  return text.slice(0, at) + line + text.slice(at);
}

function edit(root: string, path: string, change: (text: string) => string): void {
  writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8')));
}

if (import.meta.main) {
  const [kind, name, ...rest] = process.argv.slice(2);
  if (kind !== 'policy' || name === undefined || rest.length > 0) {
    console.error('usage: npm run new -- policy NAME');
    process.exitCode = 2;
  } else {
    try {
      const files = await newPolicy('.', name);
      console.log(
        `written, compiling, and passing its test; now replace its rule by yours (CONTRIBUTING.md, part 3):\n  ${files.join('\n  ')}`,
      );
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = 1;
    }
  }
}
