import { channel } from 'node:diagnostics_channel';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventChannel, type KeelsonEvent, listen } from './events.ts';
import { enlist, type Live, watchLive } from './live.ts';

const live = (name: string): Live => ({ name, statistics: () => ({ name }) });

describe('events', () => {
  const event: KeelsonEvent = { type: 'retrying', policy: 'retry' };

  test('travel on the diagnostics channel of their kind', () => {
    expect(eventChannel('retry')).toBe(channel('keelson:retry'));
  });

  test('reach a listener until it is disposed; nobody has to build one while nobody listens', () => {
    const target = eventChannel('observe-test');
    const seen: KeelsonEvent[] = [];
    expect(target.hasSubscribers).toBe(false);
    {
      using _listening = listen('observe-test', (message) => seen.push(message));
      expect(target.hasSubscribers).toBe(true);
      target.publish(event);
    }
    expect(target.hasSubscribers).toBe(false);
    target.publish(event);
    expect(seen).toEqual([event]);
  });

  test('a listener that throws hurts nobody and becomes a warning', async () => {
    const warning = new Promise<Error>((resolve) => void process.once('warning', resolve));
    const seen: unknown[] = [];
    using _faulty = listen('observe-test', () => {
      throw new Error('fault');
    });
    using _listening = listen('observe-test', (message) => seen.push(message));
    eventChannel('observe-test').publish(event);
    expect(seen).toEqual([event]);
    expect(await warning).toMatchObject({ code: 'KEELSON_LISTENER', message: 'a listener of keelson:observe-test threw: Error: fault' });
  });
});

describe('the live registry', () => {
  test('keeps nothing while nobody looks', () => {
    const early = live('early');
    enlist(early);
    using view = watchLive();
    expect(view.objects()).toEqual([]);
  });

  test('shows what was made since somebody looks, in order', () => {
    using view = watchLive();
    const [a, b] = [live('a'), live('b')];
    enlist(a);
    enlist(b);
    expect(view.objects()).toEqual([a, b]);
  });

  test('empties when the last view is closed; closing twice is closing once', () => {
    const first = watchLive();
    const second = watchLive();
    const object = live('a');
    enlist(object);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(second.objects()).toEqual([object]);
    second[Symbol.dispose]();
    using third = watchLive();
    expect(third.objects()).toEqual([]);
  });

  test('is one for all copies of the package', async () => {
    const other = (await import(`${new URL('./live.ts', import.meta.url).href}?copy`)) as { enlist: typeof enlist };
    expect(other.enlist).not.toBe(enlist);
    using view = watchLive();
    const object = live('of the other copy');
    other.enlist(object);
    expect(view.objects()).toEqual([object]);
  });

  test('holds weakly: what was collected is gone', () => {
    const original = globalThis.WeakRef;
    let target: object | undefined;
    globalThis.WeakRef = class extends original<object> {
      override deref(): object | undefined {
        return target;
      }
    } as typeof WeakRef;
    onTestFinished(() => {
      globalThis.WeakRef = original;
    });
    using view = watchLive();
    const object = live('short-lived');
    target = object;
    enlist(object);
    expect(view.objects()).toEqual([object]);
    target = undefined;
    expect(view.objects()).toEqual([]);
  });
});
