import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { CancelToken } from '../cancel/cancel-token.ts';
import { systemRandom } from '../random/system-random.ts';
import { systemClock } from '../time/system-clock.ts';
import { ambient, captureContext, runIn } from './ambient.ts';
import type { ContextNode } from './context-node.ts';

const node = (path: string): ContextNode => ({
  parent: undefined,
  path,
  token: new CancelToken(),
  deadlineMs: Number.POSITIVE_INFINITY,
  clock: systemClock,
  random: systemRandom,
  isClosed: false,
  keepOpen: () => () => {},
});

const tick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('outside of any scope there is nothing', () => {
  expect(ambient()).toBeUndefined();
});

test('a body and all that it awaits see their node; the caller does not', async () => {
  const own = node('app');
  const seen = await runIn(own, async () => {
    const before = ambient();
    await tick();
    return [before, ambient()];
  });
  expect(seen).toEqual([own, own]);
  expect(ambient()).toBeUndefined();
});

test('nests, and bodies side by side do not see each other', async () => {
  const [outer, inner, other] = [node('outer'), node('inner'), node('other')];
  const paths: string[] = [];
  const note = (): void => void paths.push(ambient()?.path ?? 'none');
  await Promise.all([
    runIn(outer, async () => {
      note();
      await runIn(inner, async () => {
        await tick();
        note();
      });
      note();
    }),
    runIn(other, async () => {
      await tick();
      await tick();
      note();
    }),
  ]);
  expect(paths.toSorted()).toEqual(['inner', 'other', 'outer', 'outer']);
});

test('returns what the body returns, and throws what it throws', () => {
  expect(runIn(node('app'), () => 5)).toBe(5);
  const fault = new Error('fault');
  const body = (): never => {
    throw fault;
  };
  expect(() => runIn(node('app'), body)).toThrow(fault);
});

test('P3: a captured context brings back our node and every other storage', () => {
  const foreign = new AsyncLocalStorage<string>();
  const own = node('app');
  const captured = foreign.run('caller', () => runIn(own, captureContext));
  const seen: unknown[] = [];
  foreign.run('stranger', () => captured.run(() => seen.push(foreign.getStore(), ambient())));
  expect(seen).toEqual(['caller', own]);
  expect(ambient()).toBeUndefined();
});

test('one storage for all copies of the package', async () => {
  const other = (await import(`${new URL('./ambient.ts', import.meta.url).href}?copy`)) as { ambient: typeof ambient; runIn: typeof runIn };
  expect(other.ambient).not.toBe(ambient);
  const own = node('app');
  expect(runIn(own, () => other.ambient())).toBe(own);
  expect(other.runIn(own, () => ambient())).toBe(own);
});
