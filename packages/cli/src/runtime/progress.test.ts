import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Progress, progressLines } from './progress.ts';
import { RunStatistics } from './run-statistics.ts';

function halfDone(): RunStatistics {
  const statistics = new RunStatistics();
  Object.assign(statistics, { jobs: 2000, done: 989, failed: 1, doneBefore: 10, retries: 45, calling: 64 });
  for (let ms = 1; ms <= 100; ms++) {
    statistics.startCall(1);
    statistics.endCall(ms);
  }
  return statistics;
}

test('says how far, how fast, how long, and what is in the way', () => {
  const [first, second] = progressLines(halfDone(), 500, 2);
  expect(first).toBe('999 of 2,000 done (50 %)  1 failed  500/s  ETA 2s');
  expect(second).toMatch(/^64 calling {2}45 retries {2}2 breakers open {2}p50 50(\.\d)?ms {2}p99 99(\.\d)?ms$/);
});

test('counts one thing in the singular', () => {
  const statistics = Object.assign(halfDone(), { retries: 1, waitingForOrigin: 1, parked: 12_345 });
  expect(progressLines(statistics, 500, 1)[1]).toContain('64 calling  1 retry  1 breaker open  12,346 parked  p50');
});

test.each([
  [0, 'ETA ?'],
  [1, 'ETA 17m'],
  [0.1, 'ETA 2h 47m'],
])('at %d jobs a second: %s', (rate, eta) => {
  expect(progressLines(halfDone(), rate, 0)[0]).toContain(eta);
});

test('of nothing to do is done', () => {
  expect(progressLines(new RunStatistics(), 0, 0)[0]).toBe('0 of 0 done (100 %)  0 failed  0/s  ETA 0s');
});

describe('on a stream', () => {
  let written = '';
  const stream = { isTTY: false, columns: 30, write: (text: string) => (written += text) };
  const facts = { statistics: halfDone(), openBreakers: () => 0 };
  beforeEach(() => {
    vi.useFakeTimers();
    written = '';
  });
  afterEach(() => vi.useRealTimers());

  test('that is no terminal there is a line every five seconds', () => {
    {
      using _progress = new Progress(facts, stream);
      vi.advanceTimersByTime(12_000);
    }
    expect(written.split('\n').length - 1).toBe(2);
    expect(written).not.toContain('\x1b');
    vi.advanceTimersByTime(60_000);
    expect(written.split('\n').length - 1).toBe(2);
  });

  test('that is a terminal it is redrawn in place, no wider than that, and gone at the end', () => {
    {
      using _progress = new Progress(facts, { ...stream, isTTY: true });
      vi.advanceTimersByTime(200);
      expect(written.split('\n').map((line) => line.length)).toEqual([29, 29, 0]);
      vi.advanceTimersByTime(200);
      expect(written).toContain('\x1b[2A\r\x1b[J');
    }
    expect(written.endsWith('\x1b[2A\r\x1b[J')).toBe(true);
  });
});
