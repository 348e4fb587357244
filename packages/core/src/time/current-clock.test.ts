import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Clock } from './clock.ts';
import { defaultClock, useClock } from './current-clock.ts';
import { systemClock } from './system-clock.ts';

test('the default is the clock of the machine', () => {
  expect(defaultClock()).toBe(systemClock);
});

test('useClock returns the same object and puts it in place until disposed', () => {
  const clock = new VirtualClock();
  {
    using used = useClock(clock);
    expect(used).toBe(clock);
    expect(defaultClock()).toBe(clock);
  }
  expect(defaultClock()).toBe(systemClock);
});

test('nests', () => {
  using outer = useClock(new VirtualClock());
  {
    using inner = useClock(new VirtualClock());
    expect(defaultClock()).toBe(inner);
  }
  expect(defaultClock()).toBe(outer);
});

test('disposing out of order never brings back a clock that is gone', () => {
  const first = useClock(new VirtualClock());
  const second = useClock(new VirtualClock());
  first[Symbol.dispose]();
  expect(defaultClock()).toBe(second);
  second[Symbol.dispose]();
  expect(defaultClock()).toBe(systemClock);
});

test('an object that cannot be given a dispose is not put in place', () => {
  expect(() => useClock(Object.freeze(new VirtualClock()))).toThrow(TypeError);
  expect(defaultClock()).toBe(systemClock);
});

test('the clock of the machine can be put in place, too, and stays when all are gone', () => {
  using _virtual = useClock(new VirtualClock());
  const machine = useClock(systemClock);
  expect(defaultClock()).toBe(systemClock);
  machine[Symbol.dispose]();
  machine[Symbol.dispose]();
  _virtual[Symbol.dispose]();
  expect(defaultClock()).toBe(systemClock);
});

test('one clock used twice has to be disposed twice; disposing once more is harmless', () => {
  const clock = new VirtualClock();
  const once = useClock(clock);
  const twice = useClock(clock);
  twice[Symbol.dispose]();
  expect(defaultClock()).toBe(clock);
  once[Symbol.dispose]();
  expect(defaultClock()).toBe(systemClock);
  once[Symbol.dispose]();
  expect(defaultClock()).toBe(systemClock);
});

test.each([undefined, null, {}, { nowMs: () => 0 }])('F2: %j is no clock', (clock) => {
  expect(() => useClock(clock as unknown as Clock)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  expect(defaultClock()).toBe(systemClock);
});
