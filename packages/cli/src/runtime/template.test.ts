import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineFault } from './columns.ts';
import { asText, inJson, inUrl, Template } from './template.ts';

describe('in a URL', () => {
  test('a value stays within its part', () => {
    const template = new Template('https://api.example/users/{name}?q={q}', inUrl);
    expect(template.fill({ name: '../admin', q: 'a&b=c d#e' })).toBe('https://api.example/users/..%2Fadmin?q=a%26b%3Dc%20d%23e');
    expect(template.fill({ name: 7, q: true })).toBe('https://api.example/users/7?q=true');
  });

  test.each([[null], [{ a: 1 }], [[1]], ['\ud800']])('%j cannot stand there', (value) => {
    expect(() => new Template('{a}', inUrl).fill({ a: value })).toThrow(LineFault);
  });
});

describe('in a body', () => {
  test('any text survives between quotes', () => {
    const template = new Template('{"text":"{text}","deep":{"n":{n}}}', inJson);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (text, n) => {
        fc.pre(typeof n !== 'string');
        expect(JSON.parse(template.fill({ text, n }))).toEqual({ text, deep: { n: JSON.parse(JSON.stringify(n)) } });
      }),
    );
  });

  test('braces that hold no name are text', () => {
    const json = '{"a": {"b": []}, "c": {}, "d": "{ x }"}';
    expect(new Template(json, inJson).fill({})).toBe(json);
  });
});

describe('in an argument', () => {
  test('a value is as it is', () => {
    expect(new Template('--q={q}', asText).fill({ q: '; rm -rf "$HOME"' })).toBe('--q=; rm -rf "$HOME"');
    expect(new Template('{o}', asText).fill({ o: { a: [1] } })).toBe('{"a":[1]}');
  });

  test('null cannot stand there', () => {
    expect(() => new Template('{a}', asText).fill({ a: null })).toThrow('column "a" is null, but a template asks for it');
  });
});

test('doubled braces stand for a literal placeholder', () => {
  expect(new Template('{{id}} is {id}', asText).fill({ id: 1 })).toBe('{id} is 1');
});

test('a missing column is named, also one that every object seems to have', () => {
  expect(() => new Template('{nope}', asText).fill({ url: 'x' })).toThrow('has no column "nope", which a template asks for');
  expect(() => new Template('{constructor}', asText).fill({ url: 'x' })).toThrow(LineFault);
});

test('shows its text without a line', () => {
  const template = new Template('a{b}c{d}', asText);
  expect([template.start, template.filledWith('-'), new Template('{b}', asText).start]).toEqual(['a', 'a-c-', '']);
});

test('is fixed without placeholders', () => {
  expect([new Template('{"a":1}', asText).isFixed, new Template('{a}', asText).isFixed]).toEqual([true, false]);
});
