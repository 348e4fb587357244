import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JournalLock } from './journal-lock.ts';

let folder = '';
let journal = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-lock-'));
  journal = join(folder, 'results.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Holder {
  pid: number;
  started: string;
  host: string;
}

function hold(change: Partial<Holder>): void {
  using _lock = JournalLock.acquire(journal);
  const own = JSON.parse(readFileSync(`${journal}.lock`, 'utf8')) as Holder;
  writeFileSync(`${journal}.saved`, JSON.stringify({ ...own, ...change }));
}

function acquireOver(change: Partial<Holder>): JournalLock {
  hold(change);
  writeFileSync(`${journal}.lock`, readFileSync(`${journal}.saved`));
  return JournalLock.acquire(journal);
}

test('is held once, and again after it was given back', () => {
  {
    using _lock = JournalLock.acquire(journal);
    expect(() => JournalLock.acquire(journal)).toThrow(`${journal}: in use by another run, process ${process.pid}`);
  }
  expect(readdirSync(folder)).toEqual([]);
  JournalLock.acquire(journal)[Symbol.dispose]();
});

test('is one and the same by whatever name the journal is called', () => {
  writeFileSync(journal, '');
  symlinkSync(journal, join(folder, 'link.jsonl'));
  symlinkSync(folder, join(folder, 'folder'));
  using _lock = JournalLock.acquire(journal);
  for (const name of ['link.jsonl', 'folder/results.jsonl', 'folder/link.jsonl'])
    expect(() => JournalLock.acquire(join(folder, name))).toThrow('in use by another run');
  expect(existsSync(join(folder, 'link.jsonl.lock'))).toBe(false);
});

test('so it is before there is a journal', () => {
  symlinkSync(folder, join(folder, 'folder'));
  using _lock = JournalLock.acquire(join(folder, 'folder', 'results.jsonl'));
  expect(() => JournalLock.acquire(journal)).toThrow('in use by another run');
});

test('a process that is gone holds nothing', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  using _lock = acquireOver({ pid: child.pid ?? 0 });
  expect(readdirSync(folder).sort()).toEqual(['results.jsonl.lock', 'results.jsonl.saved']);
});

test('nor does an earlier process whose id this one has now', () => {
  using _lock = acquireOver({ started: 'long ago' });
  expect(existsSync(`${journal}.lock`)).toBe(true);
});

// Only Linux shows such a process at all.
if (process.platform === 'linux') {
  test('a process that has ended but was not reaped holds nothing', async () => {
    // The shell starts a child, and replaces itself by a program that never reaps it.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    const fields = (): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    await expect.poll(() => fields()[0]).toBe('Z');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    try {
      using _lock = acquireOver({ pid, started: `${boot} ${fields()[19]}` });
    } finally {
      parent.kill('SIGKILL');
    }
  });
}

test('a process on another host may be alive, so the user has to say', () => {
  expect(() => acquireOver({ host: 'elsewhere' })).toThrow(`on elsewhere; remove ${journal}.lock if it is not running any more`);
  expect(hostname()).not.toBe('elsewhere');
});

test('a file that is no lock of ours is left alone', () => {
  writeFileSync(`${journal}.lock`, 'mine');
  expect(() => JournalLock.acquire(journal)).toThrow(
    `${journal}.lock: not a lock of keelson run; remove it if nothing else uses ${journal}`,
  );
  expect(readFileSync(`${journal}.lock`, 'utf8')).toBe('mine');
});

test('where no file can be made there is no lock', () => {
  expect(() => JournalLock.acquire(join(folder, 'missing', 'results.jsonl'))).toThrow(
    `${folder}/missing/results.jsonl: cannot be locked: no such file or directory`,
  );
});

test('only its own file is removed', () => {
  const lock = JournalLock.acquire(journal);
  writeFileSync(`${journal}.lock`, 'taken over by hand');
  lock[Symbol.dispose]();
  expect(existsSync(`${journal}.lock`)).toBe(true);
});
