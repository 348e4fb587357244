// Checks the import rules of the house (ARCHITECTURE.md): node scripts/check-floors.ts [root] [--write]
import { posix } from 'node:path';
import { parseArgs } from 'node:util';
import { findCycles } from './floors/cycles.ts';
import { floorOf, type House, placeOf, readHouse, readManifest } from './floors/house.ts';
import { importsOf } from './floors/imports.ts';
import { checkPictures, writePictures } from './floors/picture.ts';
import { checkGuards, checkIndex, checkPackages, checkRooms, type ResolvedImport } from './floors/rules.ts';
import { listFiles } from './lib/files.ts';
import { parse } from './lib/syntax.ts';
import { report, type Violation } from './lib/violation.ts';

const SOURCES = ['packages/*/src/**/*.ts'];

/** Every broken rule in the sources of all packages below `root`. */
export function checkFloors(root: string, house: House = readHouse()): Violation[] {
  const files = listFiles(root, SOURCES);
  const graph = new Map<string, Set<string>>();
  const violations: Violation[] = [];
  for (const path of files) {
    const source = parse(root, path);
    const edges = importsOf(source).map((edge) => ({ ...edge, from: path, target: targetOf(path, edge.specifier) }));
    const manifest = readManifest(root, placeOf(path)?.folder ?? '');
    graph.set(path, new Set(edges.flatMap(({ target }) => (target === undefined ? [] : [target]))));
    violations.push(...checkHomeless(house, path), ...checkGuards(house, path, source, edges));
    violations.push(
      ...edges.flatMap((edge: ResolvedImport) => [
        ...checkRooms(house, edge),
        ...checkIndex(house, edge, manifest),
        ...checkPackages(house, edge, manifest),
      ]),
    );
  }
  return [...violations, ...cyclesIn(graph)];
}

/** Resolves a relative import within the tree; imports end in `.ts`, so no search is needed. */
function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), specifier)) : undefined;
}

/** A file whose package or room `floors.json` does not know stands nowhere. */
function checkHomeless(house: House, path: string): Violation[] {
  const place = placeOf(path);
  const rule = '1: down only';
  if (place === undefined || place.room === undefined) {
    return [];
  }
  if (place.folder === house.core.folder && floorOf(house, place.room) === undefined) {
    return [{ file: path, line: 1, rule, message: `the room ${place.room}/ stands on no floor of scripts/floors.json` }];
  }
  if (place.folder !== house.core.folder && !Object.hasOwn(house.adapters, place.folder)) {
    return [{ file: path, line: 1, rule, message: `scripts/floors.json does not list packages/${place.folder} among the adapters` }];
  }
  if (place.folder === house.cli.folder && !house.cli.rooms.includes(place.room)) {
    return [{ file: path, line: 1, rule: '7: cli layers', message: `the room ${place.room}/ is none of ${house.cli.rooms.join(', ')}` }];
  }
  return [];
}

function cyclesIn(graph: ReadonlyMap<string, ReadonlySet<string>>): Violation[] {
  return findCycles(graph).map((files) => ({
    file: files[0] ?? '',
    line: 1,
    rule: 'no cycles',
    message: `a cycle: ${files.join(' -> ')}`,
  }));
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean', default: false } } });
  const root = positionals[0] ?? '.';
  const house = readHouse();
  if (values.write) {
    writePictures(root, house);
  }
  const count = listFiles(root, SOURCES).length;
  report('floors', `${count} files`, [...checkFloors(root, house), ...checkPictures(root, house)]);
}
