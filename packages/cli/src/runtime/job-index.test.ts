import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint } from './fingerprint.ts';
import { JobIndex } from './job-index.ts';

const JOB = fingerprint('job');

test('gives every id one key, however many there are', () => {
  const index = new JobIndex();
  const ids = Array.from({ length: 5000 }, (_, n) => `job-${n}`);
  const keys = ids.map((id) => index.keyOf(id));
  expect(new Set(keys).size).toBe(ids.length);
  expect(index.size).toBe(ids.length);
  expect(ids.map((id) => index.keyOf(id))).toEqual(keys);
});

test('keeps what it was told of each, as a map would', () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 3000 }),
    line: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    failure: fc.constantFrom(undefined, 'ERR_A', 'ERR_B', '__proto__'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000 }), (steps) => {
      const index = new JobIndex();
      const model = new Map<string, { line: number; failure: string | undefined }>();
      for (const { id, line, failure } of steps) {
        const key = index.keyOf(`${id}`);
        index.setLine(key, line);
        index.setRecorded(key, fingerprint(`${id} ${line}`), failure);
        model.set(`${id}`, { line, failure });
      }
      for (const [id, { line, failure }] of model) {
        const key = index.keyOf(id);
        expect([index.lineOf(key), index.failureOf(key)]).toEqual([line, failure]);
        expect(index.recordedOf(key)).toBe(failure === undefined ? 'done' : 'failed');
        expect(index.isRecordedJob(key, fingerprint(`${id} ${line}`))).toBe(true);
        expect(index.isRecordedJob(key, JOB)).toBe(false);
      }
      expect(index.size).toBe(model.size);
    }),
    { numRuns: 20 },
  );
});

describe('a key', () => {
  test('begins with nothing known', () => {
    const index = new JobIndex();
    const key = index.keyOf('new');
    expect([index.lineOf(key), index.recordedOf(key), index.isSkipped(key)]).toEqual([0, 'none', false]);
  });

  test('is skipped until its job is recorded anew', () => {
    const index = new JobIndex();
    const key = index.keyOf('a');
    index.setRecorded(key, JOB, 'ERR_TIMEOUT');
    index.skip(key);
    expect([index.isSkipped(key), index.recordedOf(key)]).toEqual([true, 'failed']);
    index.setRecorded(key, JOB, undefined);
    expect([index.isSkipped(key), index.recordedOf(key)]).toEqual([false, 'done']);
  });

  test('counts as without a line until it has one', () => {
    const index = new JobIndex();
    index.keyOf('recorded only');
    index.setLine(index.keyOf('both'), 7);
    expect(index.countWithoutLine()).toBe(1);
  });
});

test('K4: names of object members are ids like any other', () => {
  const index = new JobIndex();
  const keys = ['__proto__', 'constructor', 'toString'].map((id) => index.keyOf(id));
  expect(new Set(keys).size).toBe(3);
});
