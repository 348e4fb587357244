import { describe, expect, test } from 'vitest';
import { PLAIN } from './circuit.test-support.ts';
import {
  admit,
  admitRamped,
  type CircuitState,
  type Closed,
  type HalfOpen,
  INITIAL,
  type Isolated,
  isCurrent,
  isolate,
  isStable,
  letGo,
  type Open,
  open,
  openMs,
  type Probe,
  passTime,
  probeEnded,
  probeSucceeded,
  type Ramping,
  type RecoveryRules,
  rampCallEnded,
  rampLimit,
  rampSucceeded,
  retryAfterMs,
} from './circuit-state.ts';

const RULES: RecoveryRules = { ...PLAIN, successThreshold: 2, maxProbes: 2 };
const BARE = { chance: 0, askedMs: 0 };
const ONCE = { inRow: 1, ...BARE };
const OPENED_ONCE = { opening: ONCE, opened: 1 };

const opened = (state: CircuitState, atMs: number): Open => open(state, atMs, BARE, RULES);
const passed = (state: CircuitState, nowMs: number): CircuitState => passTime(state, nowMs, 0, RULES);
const halfOpenAt = (nowMs: number): HalfOpen => passed(opened(INITIAL, nowMs - 1000), nowMs) as HalfOpen;

const probeAt = (state: HalfOpen, nowMs: number): { readonly state: HalfOpen; readonly probe: Probe } => {
  const admitted = admit(state, nowMs, RULES);
  if (admitted === undefined) throw new Error('no place');
  return admitted;
};

describe('open', () => {
  test('lasts for the recovery timeout, in a generation of its own', () => {
    expect(opened(INITIAL, 200)).toEqual({ kind: 'open', generation: 2, probes: [], ...OPENED_ONCE, sinceMs: 200 });
  });

  test('keeps the places of probes whose work goes on', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(opened(state, 1100)).toMatchObject({ probes: [probe], sinceMs: 1100 });
  });

  test.each([
    [1199, 'open'],
    [1200, 'half-open'],
    [1e9, 'half-open'],
  ])('at %d it is %s', (nowMs, kind) => {
    const state = opened(INITIAL, 200);
    const next = passed(state, nowMs);
    expect(next.kind).toBe(kind);
    if (kind === 'open') expect(next).toBe(state);
    else expect(next).toEqual({ kind, generation: 3, probes: [], ...OPENED_ONCE, successes: 0 });
  });
});

describe('B6: how long it stays open', () => {
  const growing: RecoveryRules = { ...PLAIN, recoveryFactor: 3, maxRecoveryTimeoutMs: 20_000 };

  test('grows by the factor with each opening in a row, up to the maximum', () => {
    expect([1, 2, 3, 4, 5, 5000].map((inRow) => openMs({ inRow, ...BARE }, growing))).toEqual([1000, 3000, 9000, 20_000, 20_000, 20_000]);
  });

  test('is shortened by chance, after it was capped', () => {
    const jittered = { ...growing, recoveryJitter: 0.5 };
    expect([0, 0.5].map((chance) => openMs({ inRow: 1, chance, askedMs: 0 }, jittered))).toEqual([1000, 750]);
    expect(openMs({ inRow: 9, chance: 0.5, askedMs: 0 }, jittered)).toBe(15_000);
  });

  test('is no shorter than what was asked for, which the maximum bounds, and chance does not shorten', () => {
    const asked = (askedMs: number): number => openMs({ inRow: 1, chance: 0.5, askedMs }, { ...growing, recoveryJitter: 0.5 });
    expect([100, 5000, 1e9].map(asked)).toEqual([750, 5000, 20_000]);
  });

  test('each opening counts that comes from half-open, or before the circuit was stable', () => {
    const again = opened(halfOpenAt(1000), 1000);
    expect(again.opening.inRow).toBe(2);
    const closed: Closed = { kind: 'closed', generation: 5, probes: [], opening: again.opening, opened: 2, sinceMs: 3000 };
    expect(opened(closed, 3999).opening.inRow).toBe(3);
    expect(opened(closed, 4000).opening.inRow).toBe(1);
    const ramping: Ramping = { ...closed, kind: 'ramping', successes: 0, inFlight: 0 };
    expect(opened(ramping, 3999).opening.inRow).toBe(3);
    expect(opened(isolate(closed, { reason: 'why' }), 3100).opening.inRow).toBe(1);
  });

  test('a circuit is stable when it has been closed for as long as it was open', () => {
    const closed: Closed = { ...INITIAL, opening: { inRow: 2, ...BARE }, sinceMs: 500 };
    expect([3499, 3500].map((nowMs) => isStable(closed, nowMs, growing))).toEqual([false, true]);
    expect(isStable(INITIAL, 0, growing)).toBe(true);
  });
});

describe('passing time', () => {
  test('does nothing to a closed circuit, or to an isolated one', () => {
    expect(passed(INITIAL, 1e9)).toBe(INITIAL);
    const isolated = isolate(INITIAL, { reason: 'why' });
    expect(passed(isolated, 1e9)).toBe(isolated);
  });

  test('does nothing to a half-open one that waits for nobody', () => {
    const state = halfOpenAt(1000);
    expect(passed(state, 1e9)).toBe(state);
  });

  test('B2: an awaited probe whose lease is over has failed at that moment, whenever it is noticed', () => {
    const { state } = probeAt(halfOpenAt(1000), 1000);
    expect(passed(state, 1499)).toBe(state);
    const lost = { kind: 'open', generation: 4, probes: [], opening: { inRow: 2, chance: 0.25, askedMs: 0 }, opened: 2, sinceMs: 1500 };
    expect(passTime(state, 1500, 0.25, RULES)).toEqual(lost);
    expect(passTime(state, 9999, 0.25, RULES)).toEqual(lost);
  });

  test('B2: of several the first one lost decides, and those still leased keep their places', () => {
    const first = probeAt(halfOpenAt(1000), 1000);
    const second = probeAt(first.state, 1200);
    expect(passed(second.state, 1600)).toMatchObject({ kind: 'open', generation: 4, probes: [second.probe], sinceMs: 1500 });
  });

  test('B4: a probe that is slow has failed when it became so, and keeps its place until its lease is over', () => {
    const slow = { ...RULES, slowCallMs: 200 };
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(passTime(state, 1300, 0, slow)).toBe(state); // its operation has not started
    probe.startedMs = 1000;
    expect(passTime(state, 1199, 0, slow)).toBe(state);
    const next = passTime(state, 1200, 0, slow);
    expect(next).toMatchObject({ kind: 'open', probes: [probe], sinceMs: 1200 });
    expect(passTime(next, 1500, 0, slow)).toEqual({ ...next, probes: [] });
  });

  test('a probe that nobody awaits any more only loses its place', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    probe.isAwaited = false;
    expect(passed(state, 1500)).toEqual({ ...state, probes: [] });
  });

  test('so does one of an older generation, in every state', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    const closed: Closed = { ...INITIAL, generation: 4, probes: [probe] };
    expect(passed(closed, 1500)).toEqual({ ...closed, probes: [] });
    const again = opened(state, 1100);
    expect(passed(again, 1500)).toEqual({ ...again, probes: [] });
    const later: HalfOpen = { ...state, generation: 5 };
    expect(passed(later, 1500)).toEqual({ ...later, probes: [] });
    expect(passed({ ...again, sinceMs: 400 }, 1450)).toMatchObject({ kind: 'half-open', generation: 5, probes: [probe], successes: 0 });
  });
});

describe('probes', () => {
  test('B2: there are no more than allowed, and those of older generations count', () => {
    const first = probeAt(halfOpenAt(1000), 1000);
    const second = probeAt({ ...first.state, generation: 9 }, 1100);
    expect(second.state.probes).toEqual([first.probe, second.probe]);
    expect(second.probe).toEqual({ generation: 9, sinceMs: 1100, startedMs: Number.POSITIVE_INFINITY, isAwaited: true });
    expect(admit(second.state, 1200, RULES)).toBeUndefined();
    expect(first.state.probes).toEqual([first.probe]);
  });

  test('one that has ended makes room', () => {
    const first = probeAt(halfOpenAt(1000), 1000);
    const second = probeAt(first.state, 1100);
    const state = probeEnded(second.state, first.probe) as HalfOpen;
    expect(state.probes).toEqual([second.probe]);
    expect(admit(state, 1200, RULES)).toBeDefined();
  });

  test('B1: only the outcome of an awaited one of this generation counts', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(isCurrent(state, probe)).toBe(true);
    expect(isCurrent({ ...state, generation: 4 }, probe)).toBe(false);
    expect(isCurrent({ ...INITIAL, generation: 3, probes: [probe] }, probe)).toBe(false);
    probe.isAwaited = false;
    expect(isCurrent(state, probe)).toBe(false);
  });

  test('so many successes close the circuit, in a generation of its own', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    const once = probeSucceeded(state, 1100, RULES);
    expect(once).toEqual({ ...state, successes: 1 });
    const closed = { generation: 4, probes: [probe], ...OPENED_ONCE, sinceMs: 1200 };
    expect(probeSucceeded(once as HalfOpen, 1200, RULES)).toEqual({ kind: 'closed', ...closed });
    const ramping = { kind: 'ramping', ...closed, successes: 0, inFlight: 0 };
    expect(probeSucceeded(once as HalfOpen, 1200, { ...RULES, rampUp: 5 })).toEqual(ramping);
  });
});

describe('B3: a ramp', () => {
  const rules: RecoveryRules = { ...PLAIN, rampUp: 4 };
  const ramping: Ramping = { kind: 'ramping', generation: 4, probes: [], ...OPENED_ONCE, sinceMs: 5000, successes: 0, inFlight: 0 };

  test('lets one call through at first, and never fewer', () => {
    const first = admitRamped(ramping, 5000, rules);
    expect(first).toEqual({ ...ramping, inFlight: 1 });
    expect(admitRamped(first as Ramping, 5000, rules)).toBeUndefined();
    expect(rampCallEnded(first as Ramping)).toEqual(ramping);
  });

  test('lets one more through for each success, and is over, in the same generation, when so many have succeeded', () => {
    let state: CircuitState = { ...ramping, inFlight: 1 };
    const limits: number[] = [];
    while (state.kind === 'ramping') {
      limits.push(rampLimit(state, 5000, rules));
      state = rampSucceeded(state, rules);
    }
    expect(limits).toEqual([1, 2, 3, 4]);
    expect(state).toEqual({ kind: 'closed', generation: 4, probes: [], ...OPENED_ONCE, sinceMs: 5000 });
  });

  test('or one more for each part of the time until it is stable, when it is over', () => {
    expect([5000, 5249, 5250, 5500, 5999].map((nowMs) => rampLimit(ramping, nowMs, rules))).toEqual([1, 1, 2, 3, 4]);
    expect(passTime(ramping, 5999, 0, rules)).toBe(ramping);
    expect(passTime(ramping, 6000, 0, rules)).toMatchObject({ kind: 'closed', generation: 4, sinceMs: 5000 });
    expect(rampLimit({ ...ramping, successes: 3 }, 5250, rules)).toBe(4);
  });

  test('is over at once when the rules want none any more', () => {
    expect(passTime(ramping, 5000, 0, { ...rules, rampUp: 0 }).kind).toBe('closed');
  });
});

describe('isolation', () => {
  const [first, second] = [{ reason: 'deploying' }, { reason: 'incident' }];

  test('is a generation of its own; the openings before are forgotten', () => {
    const state = opened(halfOpenAt(1000), 1000);
    const never = { inRow: 0, ...BARE };
    expect(isolate(state, first)).toEqual({ kind: 'isolated', generation: 5, probes: [], opening: never, opened: 2, holds: [first] });
  });

  test('lasts until the last hold is let go; then the circuit closes, and ramps up', () => {
    const both = isolate(isolate(INITIAL, first), second);
    expect(both).toMatchObject({ generation: 2, holds: [first, second] });
    const one = letGo(both, first, 300, PLAIN) as Isolated;
    expect(one).toEqual({ ...both, holds: [second] });
    const never = { inRow: 0, ...BARE };
    const closed = { generation: 3, probes: [], opening: never, opened: 0, sinceMs: 400 };
    expect(letGo(one, second, 400, PLAIN)).toEqual({ kind: 'closed', ...closed });
    expect(letGo(one, second, 400, { ...PLAIN, rampUp: 3 })).toEqual({ kind: 'ramping', ...closed, successes: 0, inFlight: 0 });
  });
});

describe('when a call may come back', () => {
  test('to an open circuit: when it lets probes through', () => {
    const state = opened(INITIAL, 0);
    expect([0, 400, 1000, 2000].map((nowMs) => retryAfterMs(state, nowMs, RULES))).toEqual([1000, 600, 0, 0]);
  });

  test('to one that would let it through: now', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(retryAfterMs(INITIAL, 0, RULES)).toBe(0);
    expect(retryAfterMs({ ...INITIAL, probes: [probe, probe] }, 0, RULES)).toBe(0);
    expect(retryAfterMs(state, 1000, RULES)).toBe(0);
  });

  test('to one whose probes are out: when the oldest lease ends, and not later than a recovery timeout from now', () => {
    const { state } = probeAt(probeAt(halfOpenAt(1000), 1000).state, 1200);
    expect([1200, 1400, 1600].map((nowMs) => retryAfterMs(state, nowMs, RULES))).toEqual([300, 100, 0]);
    expect(retryAfterMs(state, 1200, { ...RULES, recoveryTimeoutMs: 50 })).toBe(50);
  });

  test('to one in a ramp: when one more place is there without any success', () => {
    const ramping: Ramping = { kind: 'ramping', generation: 4, probes: [], ...OPENED_ONCE, sinceMs: 0, successes: 1, inFlight: 1 };
    const rules = { ...PLAIN, rampUp: 4 };
    expect(retryAfterMs(ramping, 100, rules)).toBe(0);
    expect(retryAfterMs({ ...ramping, inFlight: 2 }, 100, rules)).toBe(250);
  });

  test('to an isolated one: nobody knows', () => {
    expect(retryAfterMs(isolate(INITIAL, { reason: 'why' }), 0, RULES)).toBeUndefined();
  });
});
