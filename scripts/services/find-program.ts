import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where servers are installed that an ordinary user's PATH often leaves out. */
export const SERVER_FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

/** The folders of a PATH, in order, then those that servers live in. */
export function searchFolders(path: string | undefined): string[] {
  const listed = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...listed, ...SERVER_FOLDERS])];
}

/** The first executable file called `program` in one of `folders`. */
export function findProgram(program: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
