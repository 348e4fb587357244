import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** Takes three turns and notes which come. */
function three(): { readonly passes: ((goesOn: boolean) => void)[]; readonly came: string[] } {
  const turns = new Turns();
  const came: string[] = [];
  const passes = ['a', 'b', 'c'].map((name) => {
    const turn = turns.take();
    void turn.comes.then((goesOn) => came.push(`${name} ${goesOn}`));
    return turn.pass;
  });
  return { passes, came };
}

test('come in the order in which they were taken, whichever is ready first', async () => {
  const { passes, came } = three();
  await Promise.resolve();
  expect(came).toEqual(['a true']);
  passes[0]?.(true);
  await Promise.resolve();
  expect(came).toEqual(['a true', 'b true']);
});

test('never come behind one that never will', async () => {
  const { passes, came } = three();
  passes[0]?.(false);
  await Promise.resolve();
  expect(came).toEqual(['a true', 'b false']);
});

test('have come for good: passing once more changes nothing', async () => {
  const { passes, came } = three();
  passes[0]?.(true);
  passes[0]?.(false);
  await Promise.resolve();
  expect(came).toEqual(['a true', 'b true']);
});
