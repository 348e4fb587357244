import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from '../lib/violation.ts';
import type { House } from './house.ts';

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md'];
const BEGIN = '<!-- floors: written by scripts/check-floors.ts --write -->';
const END = '<!-- /floors -->';
const WIDTH = 100;

/** The house as text, top floor first, with those of its rooms that are built. */
function drawFloors(root: string, house: House): string {
  const floors = house.floors.map(({ rooms, about }, floor) => {
    const built = rooms.filter((room) => existsSync(join(root, 'packages', house.core.folder, 'src', room)));
    const lines = [...wrap(built.map((room) => `${room}/`)), ...wrap(about.split(' ')).map((line) => `  ${line}`)];
    return lines.map((line, index) => `${(index === 0 ? `floor ${floor}` : '').padEnd(10)}${line}`).join('\n');
  });
  return ['```text', floors.toReversed().join('\n\n'), '```'].join('\n');
}

function wrap(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 1 <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** Each document whose picture, between its two marks, is not the one that `floors.json` gives. */
export function checkPictures(root: string, house: House): Violation[] {
  return stalePictures(root, house).map(({ file }) => ({
    file,
    line: 1,
    rule: 'picture',
    message: 'the floors drawn are not those of scripts/floors.json; run: node scripts/check-floors.ts --write',
  }));
}

/** Draws the floors anew in each document that has the marks. */
export function writePictures(root: string, house: House): void {
  for (const { file, text } of stalePictures(root, house)) {
    writeFileSync(join(root, file), text);
  }
}

function stalePictures(root: string, house: House): { file: string; text: string }[] {
  return DOCUMENTS.filter((file) => existsSync(join(root, file))).flatMap((file) => {
    const old = readFileSync(join(root, file), 'utf8');
    const [before, rest] = split(old, BEGIN);
    const [, after] = split(rest, END);
    const text = `${before}${BEGIN}\n${drawFloors(root, house)}\n${END}${after}`;
    return old.includes(BEGIN) && old !== text ? [{ file, text }] : [];
  });
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}
