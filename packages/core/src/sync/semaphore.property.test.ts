import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { type Permit, Semaphore } from './semaphore.ts';

const SEED = 20_251_121;

type Act =
  | { readonly do: 'acquire'; readonly timeoutMs: number }
  | { readonly do: 'release' | 'abort'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('acquire' as const), timeoutMs: fc.constantFrom(5, 20, Number.POSITIVE_INFINITY) }),
  fc.record({ do: fc.constantFrom('release' as const, 'abort' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 10) }),
);

/** A semaphore, and what becomes of everybody who asks it for a permit. */
class Crowd {
  readonly semaphore: Semaphore;
  /** Numbers of the callers, in the order in which they got a permit. */
  readonly granted: number[] = [];
  readonly #held: Permit[] = [];
  readonly #controllers: AbortController[] = [];
  #pending = 0;

  constructor(permits: number) {
    this.semaphore = new Semaphore(permits);
  }

  acquire(timeoutMs: number): void {
    const number = this.#controllers.length;
    const controller = new AbortController();
    this.#controllers.push(controller);
    this.#pending++;
    void this.semaphore.acquire({ signal: controller.signal, timeout: timeoutMs }).then(
      (permit) => {
        this.#pending--;
        this.granted.push(number);
        this.#held.push(permit);
      },
      () => {
        this.#pending--;
      },
    );
  }

  release(which: number): void {
    this.#held.splice(which % Math.max(1, this.#held.length), 1)[0]?.release();
  }

  abort(which: number): void {
    this.#controllers[which % Math.max(1, this.#controllers.length)]?.abort();
  }

  check(permits: number): void {
    const { inFlight, waiting } = this.semaphore.statistics();
    expect(inFlight).toBe(this.#held.length);
    expect(inFlight).toBeLessThanOrEqual(permits);
    expect(waiting).toBe(this.#pending);
    if (waiting > 0) expect(inFlight).toBe(permits);
  }

  async leave(clock: VirtualClock): Promise<void> {
    for (const controller of this.#controllers) controller.abort();
    await clock.settle();
    for (const permit of this.#held.splice(0)) permit.release();
  }
}

test('P2, C2: permits are neither lost nor made, waiters are served in order, and nothing is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(act, { maxLength: 60, size: 'max' }), async (permits, acts) => {
      using clock = useClock(new VirtualClock());
      await using _leaks = expectNoLeaks({ clock });
      const crowd = new Crowd(permits);
      for (const step of acts) {
        if (step.do === 'acquire') crowd.acquire(step.timeoutMs);
        else if (step.do === 'advance') await clock.advance(step.ms);
        else crowd[step.do](step.which);
        await clock.settle();
        crowd.check(permits);
      }
      expect(crowd.granted).toEqual(crowd.granted.toSorted((a, b) => a - b));
      await crowd.leave(clock);
      expect(crowd.semaphore.statistics()).toMatchObject({ inFlight: 0, waiting: 0 });
    }),
    { seed: SEED, numRuns: 100 },
  );
});
