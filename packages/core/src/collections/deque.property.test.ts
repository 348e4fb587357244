import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deque } from './deque.ts';

const SEED = 20_251_121;

type Act = 'pushBack' | 'pushFront' | 'popFront' | 'popBack' | 'clear';
const act = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom<Act>('pushBack', 'pushFront', 'pushBack', 'pushFront', 'popFront', 'popBack') },
  { weight: 1, arbitrary: fc.constant<Act>('clear') },
);

test('a deque is an array whose both ends are cheap', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300, size: 'max' }), (acts) => {
      const deque = new Deque<number>();
      const model: number[] = [];
      acts.forEach((name, i) => {
        if (name === 'pushBack') {
          deque.pushBack(i);
          model.push(i);
        } else if (name === 'pushFront') {
          deque.pushFront(i);
          model.unshift(i);
        } else if (name === 'popFront') expect(deque.popFront()).toBe(model.shift());
        else if (name === 'popBack') expect(deque.popBack()).toBe(model.pop());
        else {
          deque.clear();
          model.length = 0;
        }
        expect(deque.size).toBe(model.length);
        expect(deque.at(0)).toBe(model[0]);
        expect(deque.at(model.length - 1)).toBe(model.at(-1));
      });
      expect([...deque]).toEqual(model);
      expect(deque.at(-1)).toBeUndefined();
      expect(deque.at(model.length)).toBeUndefined();
    }),
    { seed: SEED },
  );
});
