import { expect, test } from 'vitest';
import { isCausedBy } from './is-caused-by.ts';

const reason = new Error('reason');

test('C4: the reason itself, by identity', () => {
  expect(isCausedBy(reason, reason)).toBe(true);
  expect(isCausedBy(new Error('reason'), reason)).toBe(false);
  expect(isCausedBy('stop', 'stop')).toBe(true);
  expect(isCausedBy(Number.NaN, Number.NaN)).toBe(true);
});

test('C4: what was made around the reason, however deep', () => {
  const wrapped = new Error('outer', { cause: new DOMException('aborted', { name: 'AbortError', cause: reason }) });
  expect(isCausedBy(wrapped, reason)).toBe(true);
});

test('C4: what disposal made of it', () => {
  expect(isCausedBy(new SuppressedError(new Error('cleanup'), reason), reason)).toBe(true);
  expect(isCausedBy(new SuppressedError(reason, new Error('body')), reason)).toBe(true);
});

test('C4: not another with the same name', () => {
  expect(isCausedBy(new DOMException('aborted', 'AbortError'), new DOMException('aborted', 'AbortError'))).toBe(false);
});

test.each([null, undefined, 5, 'text'])('%s is made around nothing', (error) => {
  expect(isCausedBy(error, reason)).toBe(false);
});

test('an undefined reason is not found in every error without a cause', () => {
  expect(isCausedBy(new Error('x'), undefined)).toBe(false);
  expect(isCausedBy(undefined, undefined)).toBe(true);
});

test('F1: ends for errors that contain themselves in every way', () => {
  const knot: { cause?: unknown; error?: unknown; suppressed?: unknown } = {};
  Object.assign(knot, { cause: knot, error: knot, suppressed: knot });
  expect(isCausedBy(knot, reason)).toBe(false);
});

test('F1: a getter that throws counts as nothing', () => {
  const error = {
    get cause(): unknown {
      throw new Error('getter');
    },
  };
  expect(isCausedBy(error, reason)).toBe(false);
});

test('F1: ends for an error that makes a new one around itself each time it is asked', () => {
  const endless = (): object => ({
    get cause() {
      return endless();
    },
  });
  expect(isCausedBy(endless(), reason)).toBe(false);
});
