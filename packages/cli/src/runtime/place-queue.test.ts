import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlaceQueue, type QueuedPlace } from './place-queue.ts';

test('is first in, first out, as a list would be', () => {
  const place = fc.record({ offset: fc.nat({ max: 2 ** 50 }), line: fc.nat(), sinceMs: fc.double({ min: 0, max: 1e12, noNaN: true }) });
  const step = fc.oneof(fc.array(place, { maxLength: 4000 }), fc.nat({ max: 4000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const queue = new PlaceQueue();
      const model: QueuedPlace[] = [];
      for (const each of steps) {
        if (typeof each !== 'number') {
          for (const one of each) queue.push(one);
          model.push(...each);
        } else for (let n = 0; n < each; n++) expect(queue.shift()).toEqual(model.shift());
        expect([queue.size, queue.firstSinceMs]).toEqual([model.length, model[0]?.sinceMs ?? Number.POSITIVE_INFINITY]);
      }
    }),
    { numRuns: 50 },
  );
});
