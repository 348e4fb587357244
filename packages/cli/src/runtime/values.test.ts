import { expect, test } from 'vitest';
import {
  parseCount,
  parseDuration,
  parseDurationOrNone,
  parseHeader,
  parseHeaderVariable,
  parseRate,
  parseSize,
  parseText,
  parseWord,
  ValueError,
} from './values.ts';

test.each([
  [parseCount, '64', 64],
  [parseDuration, '1h30m', 5_400_000],
  [parseDuration, '0.5s', 500],
  [parseDurationOrNone, '0', 0],
  [parseDurationOrNone, '0s', 0],
  [parseDurationOrNone, '5s', 5000],
  [parseRate, '100/s', { limit: 100, periodMs: 1000 }],
  [parseRate, '5/10s', { limit: 5, periodMs: 10_000 }],
  [parseRate, '20/m', { limit: 20, periodMs: 60_000 }],
  [parseSize, '0', 0],
  [parseSize, '100', 100],
  [parseSize, '1mb', 1_048_576],
  [parseSize, '1.5KB', 1536],
  [parseText, 'x', 'x'],
  [parseWord('on', 'off'), 'off', 'off'],
  [parseHeader, 'accept: text/html', ['accept', 'text/html']],
  [parseHeader, 'x:a: b', ['x', 'a: b']],
  [parseHeader, 'x:', ['x', '']],
  [parseHeaderVariable, 'authorization=API_TOKEN', ['authorization', 'API_TOKEN']],
] as const)('%o reads %j', (parse, text, value) => {
  expect(parse(text)).toEqual(value);
});

test.each([
  [parseCount, ['0', '-1', '1.5', 'many', '', '1e3', '99999999999999999999']],
  [parseDuration, ['0s', '-5s', '5', 'soon', '', '1m1h']],
  [parseDurationOrNone, ['-1s', '5', 'soon', '']],
  [parseRate, ['0/s', '-1/s', '100', '/s', '1/0s', '1.5/s', '100/d', '']],
  [parseSize, ['-1', 'big', '1tb', '', '1e400mb']],
  [parseText, ['']],
  [parseWord('on', 'off'), ['On', '', 'true']],
  [parseHeader, ['x', ': y', '']],
  [parseHeaderVariable, ['x', 'x=', '=Y', 'x=1Y', 'x=a b']],
] as const)('%o refuses %j', (parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow(ValueError);
});
