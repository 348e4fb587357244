import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, type HeapEntry } from './heap.ts';

const SEED = 20_251_121;
const ascending = (a: number, b: number): boolean => a < b;

test('takes items out in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 200, size: 'max' }), (items) => {
      const heap = new Heap<number>(ascending);
      for (const item of items) heap.add(item);
      const taken = items.map(() => heap.take());
      expect(taken).toEqual(items.toSorted((a, b) => a - b));
      expect(heap.take()).toBeUndefined();
    }),
    { seed: SEED },
  );
});

test('is what a sorted array is, with items taken out anywhere', () => {
  const act = fc.oneof(
    fc.record({ do: fc.constant('add' as const), value: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ do: fc.constant('take' as const), value: fc.constant(0) }),
    fc.record({ do: fc.constant('remove' as const), value: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200, size: 'max' }), (acts) => {
      const heap = new Heap<number>(ascending);
      const entries: HeapEntry<number>[] = [];
      const gone = new Set<HeapEntry<number>>();
      const left = (): number[] => entries.filter((entry) => !gone.has(entry)).map((entry) => entry.item);
      for (const { do: what, value } of acts) {
        if (what === 'add') entries.push(heap.add(value));
        else if (what === 'take') {
          expect(heap.take()).toBe(left().length === 0 ? undefined : Math.min(...left()));
          for (const entry of entries) if (entry.index < 0) gone.add(entry);
        } else if (entries.length > 0) {
          const entry = entries[value % entries.length] as HeapEntry<number>;
          expect(heap.remove(entry)).toBe(!gone.has(entry));
          gone.add(entry);
        }
        expect(heap.size).toBe(left().length);
        expect(heap.peek()).toBe(left().length === 0 ? undefined : Math.min(...left()));
      }
    }),
    { seed: SEED },
  );
});

test('a comparison with a tie-break keeps the order of adding', () => {
  const heap = new Heap<{ at: number; order: number }>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  for (let order = 0; order < 50; order++) heap.add({ at: order % 3, order });
  const taken = Array.from({ length: 50 }, () => heap.take());
  expect(taken).toEqual(taken.toSorted((a, b) => (a?.at ?? 0) - (b?.at ?? 0) || (a?.order ?? 0) - (b?.order ?? 0)));
});

test('is a 4-ary heap: four comparisons a level, and no more levels than it needs', () => {
  let comparisons = 0;
  const heap = new Heap<number>((a, b) => {
    comparisons++;
    return a < b;
  });
  const size = 1365; // six full levels: 1 + 4 + 16 + 64 + 256 + 1024
  for (let i = 0; i < size; i++) heap.add(i);
  expect(comparisons).toBeLessThan(size);
  for (let i = 0; i < size; i++) {
    comparisons = 0;
    expect(heap.take()).toBe(i);
    expect(comparisons).toBeLessThanOrEqual(5 * 4);
  }
});
