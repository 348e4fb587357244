import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A group of names that only the listed files may use. A trailing `/` in `files` stands for the whole folder. */
export interface Guard {
  readonly what: string;
  readonly files: readonly string[];
  readonly globals: readonly string[];
  /** Modules, or single exports of one, written `module#name`. */
  readonly modules: readonly string[];
  /** What test files may use all the same. */
  readonly inTests: readonly string[];
}

/** `floors.json`: the one source of what stands where. */
export interface House {
  readonly core: { readonly folder: string; readonly name: string };
  /** From the ground up; within a floor from left to right. */
  readonly floors: readonly { readonly about: string; readonly rooms: readonly string[] }[];
  /** The floor whose rooms never import each other. */
  readonly islands: number;
  /** The room of the core that tests of every floor may use. */
  readonly forTests: string;
  /** The rooms of the cli, lowest first. */
  readonly cli: { readonly folder: string; readonly rooms: readonly string[] };
  /** Each package beside the core, and the other adapters it may import. */
  readonly adapters: Readonly<Record<string, readonly string[]>>;
  readonly guards: readonly Guard[];
}

/** Where a file stands: its package, and its room in it (the first folder below `src`; none for the entries beside it). */
export interface Place {
  readonly folder: string;
  readonly room: string | undefined;
}

/** The parts of a package's manifest that the rules read. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Reads `floors.json` beside the scripts. */
export function readHouse(): House {
  return JSON.parse(readFileSync(new URL('../floors.json', import.meta.url), 'utf8')) as House;
}

/** Reads the manifest of one package. */
export function readManifest(root: string, folder: string): Manifest {
  const path = join(root, 'packages', folder, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : { name: folder };
}

/** The place of a path such as `packages/core/src/retry/retry.ts`; `undefined` outside the packages. */
export function placeOf(path: string): Place | undefined {
  const match = /^packages\/([^/]+)\/src\/(?:([^/]+)\/)?[^/]*/.exec(path);
  return match?.[1] === undefined ? undefined : { folder: match[1], room: match[2] };
}

/** The floor of a room of the core, and its place from the left. */
export function floorOf(house: House, room: string): { readonly floor: number; readonly position: number } | undefined {
  const floor = house.floors.findIndex(({ rooms }) => rooms.includes(room));
  return floor < 0 ? undefined : { floor, position: house.floors[floor]?.rooms.indexOf(room) ?? 0 };
}
