import { expect, test } from 'vitest';
import { inertText, quoted } from './inert-text.ts';

test.each([
  ['plain text, ünïcode 🙂', 'plain text, ünïcode 🙂'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['a\nb\r\tc\0', 'a\\x0ab\\x0d\\x09c\\x00'],
  ['\u009b2J\u007f', '\\x9b2J\\x7f'],
  ['a\u202eb\u2028c\u2066', 'a\\u202eb\\u2028c\\u2066'],
])('F3: %j', (text, shown) => {
  expect(inertText(text)).toBe(shown);
});

test('quoted text is short', () => {
  expect(quoted('x'.repeat(100), 10)).toBe(`"${'x'.repeat(10)}…"`);
});
