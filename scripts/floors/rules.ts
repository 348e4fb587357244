import type ts from 'typescript';
import { isTest } from '../lib/files.ts';
import type { Violation } from '../lib/violation.ts';
import { globalUses } from './global-uses.ts';
import { floorOf, type Guard, type House, type Manifest, placeOf } from './house.ts';
import type { ImportEdge } from './imports.ts';

/** An import with its place in the tree: `target` is the imported file, `undefined` for an import by name. */
export interface ResolvedImport extends ImportEdge {
  readonly from: string;
  readonly target: string | undefined;
}

/** Rules 1 and 2 in the core, rule 7 in the cli: from which room a room may import. */
export function checkRooms(house: House, edge: ResolvedImport): Violation[] {
  const from = placeOf(edge.from);
  const to = edge.target === undefined ? undefined : placeOf(edge.target);
  if (from?.room === undefined || to === undefined || from.folder !== to.folder || from.room === to.room) {
    return [];
  }
  if (from.folder === house.cli.folder) {
    return checkCliRooms(house, edge, from.room, to.room);
  }
  return from.folder === house.core.folder ? checkCoreRooms(house, edge, from.room, to.room) : [];
}

function checkCoreRooms(house: House, edge: ResolvedImport, from: string, to: string | undefined): Violation[] {
  const here = floorOf(house, from);
  if (here === undefined) {
    return []; // reported once for the file
  }
  if (to === undefined) {
    return [broken(edge, '1: down only', `${from}/ imports ${edge.specifier}, an entry above all floors`)];
  }
  const there = floorOf(house, to);
  if (there === undefined) {
    return [broken(edge, '1: down only', `${from}/ imports ${to}/, which stands on no floor`)];
  }
  if (here.floor === there.floor && here.floor === house.islands) {
    return [broken(edge, '2: islands', `${from}/ imports ${to}/ on its own floor ${here.floor}; what both need moves down`)];
  }
  const leftwards = here.floor === there.floor && there.position < here.position;
  const forTests = isTest(edge.from) && to === house.forTests;
  if (there.floor < here.floor || leftwards || forTests) {
    return [];
  }
  const where = here.floor === there.floor ? 'to its right' : `on floor ${there.floor}`;
  return [broken(edge, '1: down only', `${from}/ on floor ${here.floor} imports ${to}/ ${where}`)];
}

function checkCliRooms(house: House, edge: ResolvedImport, from: string, to: string | undefined): Violation[] {
  const here = house.cli.rooms.indexOf(from);
  const there = to === undefined ? house.cli.rooms.length : house.cli.rooms.indexOf(to);
  if (here < 0 || (there >= 0 && there < here)) {
    return [];
  }
  return [
    broken(edge, '7: cli layers', `${from}/ imports ${edge.specifier}; commands import operations, operations import runtime, never back`),
  ];
}

/** Rule 3: an `index.ts` is for those outside; only the test of an index, beside it, may import it. */
export function checkIndex(house: House, edge: ResolvedImport, manifest: Manifest): Violation[] {
  const besideIt = isTest(edge.from) && edge.from.replace(/index\.(test|test-d)\.ts$/, 'index.ts') === edge.target;
  const byFile = edge.target?.endsWith('/index.ts') === true && !besideIt;
  const byName = edge.specifier === manifest.name || edge.specifier.startsWith(`${manifest.name}/`);
  if (!byFile && !byName) {
    return [];
  }
  const folder = placeOf(edge.from)?.folder ?? house.core.folder;
  return [broken(edge, '3: no index', `imports ${edge.specifier}; inside packages/${folder} name the file that holds the thing`)];
}

/** Rule 6: a package imports the core by name and the engines of its own manifest, never another adapter, never by path. */
export function checkPackages(house: House, edge: ResolvedImport, manifest: Manifest): Violation[] {
  const from = placeOf(edge.from);
  if (from === undefined) {
    return [];
  }
  if (edge.target !== undefined) {
    const outside = !edge.target.startsWith(`packages/${from.folder}/`);
    return outside && !isTest(edge.from) ? [broken(edge, '6: own engine', `imports ${edge.specifier}, a path outside its package`)] : [];
  }
  const name = packageName(edge.specifier);
  if (edge.specifier.startsWith('node:') || name === manifest.name) {
    return [];
  }
  const scope = `@${house.core.name}/`;
  const allowed: readonly string[] = house.adapters[from.folder] ?? [];
  if (name.startsWith(scope) && !allowed.includes(name)) {
    return [broken(edge, '6: own engine', `imports the adapter ${name}`)];
  }
  const engines = { ...manifest.dependencies, ...manifest.peerDependencies };
  if (isTest(edge.from) || Object.hasOwn(engines, name)) {
    return [];
  }
  return [broken(edge, '6: own engine', `imports ${name}, which packages/${from.folder}/package.json does not depend on`)];
}

/** Rule 5: clocks, timers, randomness, async_hooks and diagnostics_channel only in their own files. A type test is never run. */
export function checkGuards(house: House, path: string, source: ts.SourceFile, edges: readonly ResolvedImport[]): Violation[] {
  if (path.endsWith('.test-d.ts')) {
    return [];
  }
  return house.guards
    .filter(({ files }) => !files.some((owner) => isOwner(owner, path)))
    .flatMap((guard) => checkGuard(guard, path, source, edges));
}

function checkGuard(guard: Guard, path: string, source: ts.SourceFile, edges: readonly ResolvedImport[]): Violation[] {
  const allowed = isTest(path) ? guard.inTests : [];
  const globals = new Set(guard.globals.filter((name) => !allowed.includes(name)));
  const modules = guard.modules.filter((name) => !allowed.includes(name));
  const rule = '5: guarded';
  const message = (name: string): string => `uses ${name}; ${guard.what} only in ${guard.files.join(', ')}`;
  const used = globalUses(source, globals).map(({ name, line }) => ({ file: path, line, rule, message: message(name) }));
  const imported = edges.flatMap((edge) => {
    const taken = modules.filter((name) => imports(edge, name));
    return taken.length === 0 ? [] : [broken(edge, rule, message(taken.join(', ')))];
  });
  return [...used, ...imported];
}

function imports(edge: ImportEdge, guarded: string): boolean {
  const [module = '', name] = guarded.split('#');
  return edge.specifier === module && (name === undefined || edge.names.length === 0 || edge.names.includes(name));
}

/** An owner is a file with the test beside it, or a whole folder. */
function isOwner(owner: string, path: string): boolean {
  return owner.endsWith('/') ? path.startsWith(owner) : path.replace(/(\.property)?\.test\.ts$/, '.ts') === owner;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function broken(edge: ResolvedImport, rule: string, message: string): Violation {
  return { file: edge.from, line: edge.line, rule, message };
}
