import { expectTypeOf, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from './current-clock.ts';
import { Deadline } from './deadline.ts';
import type { Duration } from './duration.ts';

test('useClock keeps the type of the clock', () => {
  expectTypeOf(useClock(new VirtualClock())).toExtend<VirtualClock & Disposable>();
});

test('a duration is a number or a number with its unit', () => {
  expectTypeOf<'250ms' | '5s' | '1.5m' | '1h' | 5>().toExtend<Duration>();
  expectTypeOf<'5'>().not.toExtend<Duration>();
  expectTypeOf<'5sec'>().not.toExtend<Duration>();
  expectTypeOf<'1h30m'>().not.toExtend<Duration>();
});

test('a deadline is made by its two functions only', () => {
  // @ts-expect-error the constructor is private
  new Deadline();
});
