import { expect, test } from 'vitest';
import { FairTurns } from './fair-turns.ts';

/** Items are named after their key and number: 'a1', 'a2', 'b1'. */
function turnsOf(...items: readonly string[]): FairTurns<string> {
  const turns = new FairTurns<string>();
  for (const item of items) turns.add(item, item[0]);
  return turns;
}

const takeAll = (turns: FairTurns<string>): string[] => {
  const taken: string[] = [];
  for (let item = turns.take(); item !== undefined; item = turns.take()) taken.push(item);
  return taken;
};

test('keys take turns, one item each, in the order of coming', () => {
  expect(takeAll(turnsOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2'))).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
});

test('who has no key takes turns like a key', () => {
  const turns = turnsOf('a1', 'a2');
  turns.add('x', undefined);
  turns.add('y', undefined);
  expect(takeAll(turns)).toEqual(['a1', 'x', 'a2', 'y']);
});

test('K4: any text is a key', () => {
  const turns = new FairTurns<number>();
  for (const [index, key] of ['__proto__', '', 'constructor', '__proto__'].entries()) turns.add(index, key);
  expect([turns.take(), turns.take(), turns.take(), turns.take(), turns.take()]).toEqual([0, 1, 2, 3, undefined]);
});

test('a key that comes back has its turn after all who are there', () => {
  const turns = turnsOf('a1', 'b1', 'b2', 'c1');
  expect(turns.take()).toBe('a1');
  turns.add('a2', 'a');
  expect(takeAll(turns)).toEqual(['b1', 'c1', 'a2', 'b2']);
});

test('who leaves costs its key no turn, and takes the key along where it was the last', () => {
  const turns = new FairTurns<string>();
  const a1 = turns.add('a1', 'a');
  turns.add('a2', 'a');
  const b1 = turns.add('b1', 'b');
  turns.add('c1', 'c');
  turns.remove(a1);
  turns.remove(b1);
  turns.add('b2', 'b');
  expect(takeAll(turns)).toEqual(['a2', 'c1', 'b2']);
});

test('knows the oldest and the newest of the key that has most', () => {
  const turns = turnsOf('a1', 'b1', 'b2', 'b3', 'c1', 'c2');
  expect([turns.ofLongest('oldest'), turns.ofLongest('newest')]).toEqual(['b1', 'b3']);
  expect([turns.take(), turns.take()]).toEqual(['a1', 'b1']); // b and c have two each now; c has had so for longer
  expect([turns.ofLongest('oldest'), turns.ofLongest('newest')]).toEqual(['c1', 'c2']);
  takeAll(turns);
  expect([turns.ofLongest('oldest'), turns.ofLongest('newest')]).toEqual([undefined, undefined]);
});

test('knows who would have to go if one more came', () => {
  const turns = turnsOf('a1', 'a2', 'a3', 'b1', 'b2');
  expect([turns.ofLongestWith('c', 'newest'), turns.ofLongestWith('c', 'oldest')]).toEqual(['a3', 'a1']);
  // With three of its own a newcomer of b has as many as a, and is the newest of them.
  expect([turns.ofLongestWith('b', 'newest'), turns.ofLongestWith('b', 'oldest')]).toEqual([undefined, 'a1']);
  expect([turns.ofLongestWith('a', 'newest'), turns.ofLongestWith('a', 'oldest')]).toEqual([undefined, 'a1']);
  expect(turnsOf('a1', 'b1').ofLongestWith('b', 'oldest')).toBe('b1'); // with two, b has most
  const nobody = new FairTurns<string>();
  expect([nobody.ofLongestWith('a', 'newest'), nobody.ofLongestWith('a', 'oldest')]).toEqual([undefined, undefined]);
});
