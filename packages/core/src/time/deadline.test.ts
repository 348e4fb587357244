import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from './current-clock.ts';
import { Deadline } from './deadline.ts';

test('in: counts down to 0 and stays there', async () => {
  using clock = useClock(new VirtualClock());
  const deadline = Deadline.in('30s');
  expect(deadline.remainingMs()).toBe(30_000);
  await clock.advance('10s');
  expect(deadline.remainingMs()).toBe(20_000);
  await clock.advance('1h');
  expect(deadline.remainingMs()).toBe(0);
});

test('T2: one in Infinity never passes', async () => {
  using clock = useClock(new VirtualClock());
  const deadline = Deadline.in(Number.POSITIVE_INFINITY);
  await clock.advance('1000h');
  expect(deadline.remainingMs()).toBe(Number.POSITIVE_INFINITY);
});

test('at: a date or a number of milliseconds, by the date of the clock', () => {
  using clock = useClock(new VirtualClock({ nowMs: 7, epochMs: Date.UTC(2030, 0, 1) }));
  expect(clock.nowMs()).toBe(7);
  expect(Deadline.at(new Date('2030-01-01T00:01:00Z')).remainingMs()).toBe(60_000);
  expect(Deadline.at(Date.UTC(2030, 0, 1) + 5).remainingMs()).toBe(5);
  expect(Deadline.at(new Date('2029-12-31T23:59:59Z')).remainingMs()).toBe(0);
});

test('T1: a date is converted once, so that setting the date later moves nothing', () => {
  let epochMs = 1000;
  using _clock = useClock({ nowMs: () => 0, epochMs: () => epochMs, schedule: () => ({ cancel() {}, ref() {}, unref() {} }) });
  const deadline = Deadline.at(2000);
  epochMs = 1_000_000;
  expect(deadline.remainingMs()).toBe(1000);
});

test('stays on the clock that was current when it was made', async () => {
  using first = useClock(new VirtualClock());
  const deadline = Deadline.in('1s');
  using second = useClock(new VirtualClock({ nowMs: 1e6 }));
  await second.advance('1h');
  expect(deadline.remainingMs()).toBe(1000);
  await first.advance('1s');
  expect(deadline.remainingMs()).toBe(0);
});

test('F2: refuses what is no duration or no date', () => {
  expect(() => Deadline.in(-1)).toThrow('Deadline.in: duration must be a duration');
  const wrong = /^Deadline.at: date must be a valid Date or milliseconds since the Unix epoch, got /;
  expect(() => Deadline.at(new Date('never'))).toThrow(wrong);
  expect(() => Deadline.at(Number.NaN)).toThrow(wrong);
  expect(() => Deadline.at('2030-01-01' as unknown as Date)).toThrow(wrong);
});
