import { describe, expect, test } from 'vitest';
import {
  admit,
  type Closed,
  type HalfOpen,
  INITIAL,
  isCurrent,
  open,
  type Probe,
  passTime,
  probeEnded,
  probeSucceeded,
  type RecoveryRules,
  retryAfterMs,
} from './circuit-state.ts';

const RULES: RecoveryRules = { recoveryTimeoutMs: 1000, successThreshold: 2, maxProbes: 2, probeLeaseMs: 500 };

const halfOpenAt = (nowMs: number): HalfOpen => passTime(open(INITIAL, nowMs - 1000, RULES), nowMs, RULES) as HalfOpen;

const probeAt = (state: HalfOpen, nowMs: number): { readonly state: HalfOpen; readonly probe: Probe } => {
  const admitted = admit(state, nowMs, RULES);
  if (admitted === undefined) throw new Error('no place');
  return admitted;
};

describe('open', () => {
  test('lasts for the recovery timeout, in a generation of its own', () => {
    expect(open(INITIAL, 200, RULES)).toEqual({ kind: 'open', generation: 2, probes: [], untilMs: 1200 });
  });

  test('keeps the places of probes whose work goes on', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(open(state, 1100, RULES)).toMatchObject({ probes: [probe], untilMs: 2100 });
  });

  test.each([
    [1199, 'open'],
    [1200, 'half-open'],
    [1e9, 'half-open'],
  ])('at %d it is %s', (nowMs, kind) => {
    const state = open(INITIAL, 200, RULES);
    const next = passTime(state, nowMs, RULES);
    expect(next.kind).toBe(kind);
    if (kind === 'open') expect(next).toBe(state);
    else expect(next).toEqual({ kind, generation: 3, probes: [], successes: 0 });
  });
});

describe('passing time', () => {
  test('does nothing to a closed circuit', () => {
    expect(passTime(INITIAL, 1e9, RULES)).toBe(INITIAL);
  });

  test('does nothing to a half-open one that waits for nobody', () => {
    const state = halfOpenAt(1000);
    expect(passTime(state, 1e9, RULES)).toBe(state);
  });

  test('B2: an awaited probe whose lease is over has failed at that moment, whenever it is noticed', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    expect(probe).toEqual({ generation: 3, untilMs: 1500, isAwaited: true });
    expect(passTime(state, 1499, RULES)).toBe(state);
    const lost = { kind: 'open', generation: 4, probes: [], untilMs: 2500 };
    expect(passTime(state, 1500, RULES)).toEqual(lost);
    expect(passTime(state, 9999, RULES)).toEqual(lost);
  });

  test('B2: of several the first one lost decides, and those still leased keep their places', () => {
    const first = probeAt(halfOpenAt(1000), 1000);
    const second = probeAt(first.state, 1200);
    expect(passTime(second.state, 1600, RULES)).toEqual({ kind: 'open', generation: 4, probes: [second.probe], untilMs: 2500 });
  });

  test('a probe that nobody awaits any more only loses its place', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    probe.isAwaited = false;
    expect(passTime(state, 1500, RULES)).toEqual({ ...state, probes: [] });
  });

  test('so does one of an older generation, in every state', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    const closed: Closed = { kind: 'closed', generation: 4, probes: [probe] };
    expect(passTime(closed, 1500, RULES)).toEqual({ ...closed, probes: [] });
    const opened = open(state, 1100, RULES);
    expect(passTime(opened, 1500, RULES)).toEqual({ ...opened, probes: [] });
    const later: HalfOpen = { ...state, generation: 5 };
    expect(passTime(later, 1500, RULES)).toEqual({ ...later, probes: [] });
    expect(passTime({ ...opened, untilMs: 1400 }, 1450, RULES)).toEqual({
      kind: 'half-open',
      generation: 5,
      probes: [probe],
      successes: 0,
    });
  });
});

describe('probes', () => {
  test('B2: there are no more than allowed, and those of older generations count', () => {
    const first = probeAt(halfOpenAt(1000), 1000);
    const second = probeAt({ ...first.state, generation: 9 }, 1100);
    expect(second.state.probes).toEqual([first.probe, second.probe]);
    expect(second.probe).toEqual({ generation: 9, untilMs: 1600, isAwaited: true });
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
    expect(isCurrent({ kind: 'closed', generation: 3, probes: [probe] }, probe)).toBe(false);
    probe.isAwaited = false;
    expect(isCurrent(state, probe)).toBe(false);
  });

  test('so many successes close the circuit, in a generation of its own', () => {
    const { state, probe } = probeAt(halfOpenAt(1000), 1000);
    const once = probeSucceeded(state, RULES);
    expect(once).toEqual({ ...state, successes: 1 });
    expect(probeSucceeded(once as HalfOpen, RULES)).toEqual({ kind: 'closed', generation: 4, probes: [probe] });
  });
});

describe('when a call may come back', () => {
  test('to an open circuit: when it lets probes through', () => {
    const state = open(INITIAL, 0, RULES);
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
});
