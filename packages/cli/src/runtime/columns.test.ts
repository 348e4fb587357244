import { describe, expect, test } from 'vitest';
import { LineFault, readColumns } from './columns.ts';

test.each([
  ['http://a.example/x', { url: 'http://a.example/x' }],
  ['  http://a.example/x \r', { url: 'http://a.example/x' }],
  ['{"url":"http://a.example","n":1}\r', { url: 'http://a.example', n: 1 }],
  [' { } ', {}],
  ['[1', { url: '[1' }],
])('%j', (line, columns) => {
  expect(readColumns(line)).toEqual(columns);
});

test.each(['[1]', ' ["http://a.example"]', '"http://a.example"', '17', '-1e3', 'true ', 'null'])('JSON that is no object: %s', (line) => {
  expect(() => readColumns(line)).toThrow(new LineFault('is JSON but no object: a line is an object or a URL'));
});

describe('malformed JSON', () => {
  const faultOf = (line: string): LineFault => {
    try {
      readColumns(line);
    } catch (error) {
      return error as LineFault;
    }
    throw new Error('was read');
  };

  test.each(['{"url":', '{"url":"x"', '{url:1}', '{"a":1}}', '{"a":"b" "c"}', '{"a":"\u0001"}'])('%j is a fault of the line', (line) => {
    expect(faultOf(line)).toBeInstanceOf(LineFault);
    expect(faultOf(line).message).toMatch(/^not valid JSON: \S/);
  });

  test('names the column where the parser says it', () => {
    expect(faultOf('{"a":"b" "c"}').column).toBe(10);
  });

  test('F3: never quotes the line, which may hold a secret', () => {
    for (const line of ['{"authorization":"Bearer s3cret"', '{"password":s3cret}', 'x', '{s3cret']) {
      if (line.startsWith('{')) expect(faultOf(line).message).not.toContain('s3cret');
    }
  });
});
