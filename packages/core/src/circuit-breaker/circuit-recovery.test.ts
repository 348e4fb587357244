import { describe, expect, test } from 'vitest';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { Circuit } from './circuit.test-support.ts';
import type { CircuitBreakerRules } from './circuit-breaker-options.ts';
import { Consecutive } from './trip-strategy.ts';

const busy = (retryAfterMs: number): Error => Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'overloaded', retryAfterMs } });

describe('B6: an open circuit', () => {
  const growing = (rules: Partial<CircuitBreakerRules> = {}): Circuit =>
    new Circuit({ recoveryFactor: 2, maxRecoveryTimeoutMs: 5000, ...rules });

  /** Opens it so often, and tells how long each time. */
  const openings = (circuit: Circuit, times: number, random?: number): readonly number[] =>
    Array.from({ length: times }, () => {
      circuit.fails(circuit.call(random === undefined ? {} : { random }));
      const { retryAfterMs = 0 } = circuit.refusal();
      circuit.nowMs += retryAfterMs;
      return retryAfterMs;
    });

  test('stays open longer each time it opens again, up to the maximum', () => {
    expect(openings(growing(), 5)).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  test('also where a probe is lost, and where it had closed in between, but not for long', () => {
    const circuit = growing();
    openings(circuit, 1);
    circuit.call();
    circuit.nowMs += 500;
    expect(circuit.refusal().retryAfterMs).toBe(2000);
    circuit.nowMs += 2000;
    circuit.returns(circuit.call());
    circuit.nowMs += 1999;
    expect(openings(circuit, 1)).toEqual([4000]);
  });

  test('begins anew when it has been closed for as long as it was open', () => {
    const circuit = growing();
    openings(circuit, 2);
    circuit.returns(circuit.call());
    circuit.nowMs += 2000;
    expect(openings(circuit, 2)).toEqual([1000, 2000]);
  });

  test('asks chance once it has a jitter, and only then', () => {
    expect(openings(growing({ recoveryJitter: 0.5 }), 3, 0.5)).toEqual([750, 1500, 3000]);
    const circuit = growing();
    const { step } = circuit.enter();
    circuit.layer.fail(Object.assign(step, { random: () => expect.unreachable('chance was asked') }), new Error('down'));
    expect(circuit.kind).toBe('open');
  });

  test('of a probe that was lost has the chance that was drawn when it was sent', () => {
    const circuit = growing({ recoveryJitter: 1 });
    circuit.fails(circuit.call({ random: 0 }));
    circuit.nowMs += 1000;
    circuit.call({ random: 0.25 });
    circuit.nowMs += 600;
    expect(circuit.refusal({ random: 0.75 }).retryAfterMs).toBe(1400); // 2000 * 0.75, 100 ms ago
  });
});

describe('a Retry-After', () => {
  test.each([
    ['longer than its own time is kept', 3000, 3000],
    ['longer than the maximum is not', 1e9, 10_000],
    ['shorter than its own time changes nothing', 300, 1000],
  ])('%s', (_name, askedMs, openMs) => {
    const circuit = new Circuit();
    circuit.fails(circuit.call(), busy(askedMs));
    expect(circuit.refusal().retryAfterMs).toBe(openMs);
  });

  test('counts of the failure that opened it, be it an error, a value or a probe', () => {
    const circuit = new Circuit({ strategy: new Consecutive(2, 10_000) });
    circuit.fails(circuit.call(), busy(5000));
    circuit.returns(circuit.call(), { [OUTCOME]: { kind: 'throttled', retryAfterMs: 2000 } });
    expect(circuit.refusal().retryAfterMs).toBe(2000);
    circuit.nowMs += 2000;
    circuit.fails(circuit.call(), busy(4000));
    expect(circuit.refusal().retryAfterMs).toBe(4000);
  });
});

describe('B3: after closing', () => {
  /** A circuit in a ramp of 4 successes or 1 s. */
  const ramping = (rules: Partial<CircuitBreakerRules> = {}): Circuit => {
    const circuit = new Circuit({ rampUp: 4, ...rules }).halfOpen();
    const probe = circuit.call();
    circuit.returns(probe);
    circuit.ends(probe);
    expect(circuit.kind).toBe('ramping');
    return circuit;
  };

  test('one call may be in flight, and one more for each success', () => {
    const circuit = ramping();
    for (let places = 1; places <= 4; places++) {
      const calls = Array.from({ length: places }, () => circuit.call());
      const error = circuit.refusal({ operation: 'loadUser' });
      expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', state: 'closed', retryAfterMs: 250 });
      expect(error.message).toBe(`loadUser was refused: api has just closed, and lets ${places} at once through; try again in 250ms`);
      circuit.returns(calls[0] as ReturnType<Circuit['call']>);
      for (const step of calls) circuit.ends(step);
    }
    expect(circuit.kind).toBe('closed');
    for (let i = 0; i < 100; i++) circuit.call();
  });

  test('a call keeps its place until its work has ended, and gives it back however it ends', () => {
    const circuit = ramping({ strategy: new Consecutive(9, 10_000) });
    const before = circuit.layer.inFlight;
    const left = circuit.call();
    circuit.isLeft(left);
    circuit.refusal();
    circuit.ends(left);
    const failed = circuit.call();
    circuit.fails(failed);
    circuit.refusal();
    circuit.ends(failed);
    circuit.call();
    expect(circuit.layer.inFlight).toBe(before + 1);
  });

  test('work of before takes no place', () => {
    const circuit = new Circuit({ rampUp: 4 });
    const old = circuit.call();
    const probe = circuit.halfOpen().call();
    circuit.returns(probe);
    const call = circuit.call();
    circuit.ends(old);
    circuit.ends(probe);
    circuit.refusal();
    circuit.ends(call);
    circuit.call();
  });

  test('time opens it, too: a call that hangs does not keep it closed to all others', () => {
    const circuit = ramping();
    circuit.call();
    circuit.nowMs += 250;
    circuit.call();
    circuit.refusal();
    circuit.nowMs += 750;
    expect(circuit.kind).toBe('closed');
    for (let i = 0; i < 100; i++) circuit.call();
  });

  test('a slow call is no success', () => {
    const circuit = ramping({ slowCallMs: 100, strategy: new Consecutive(9, 10_000) });
    const slow = circuit.call();
    circuit.nowMs += 100;
    circuit.returns(slow);
    circuit.ends(slow);
    circuit.call();
    circuit.refusal();
  });

  test('outcomes count as ever, and it may open again', () => {
    const circuit = ramping();
    circuit.fails(circuit.call());
    expect([circuit.kind, circuit.opened]).toEqual(['open', 2]);
  });

  test('calls of the ramp still count when it is over', () => {
    const circuit = ramping();
    const early = circuit.call();
    circuit.nowMs += 1000;
    circuit.call();
    circuit.fails(early);
    expect(circuit.kind).toBe('open');
  });

  test.each([
    ['successes', (circuit: Circuit) => Array.from({ length: 4 }, () => circuit.returns(circuit.call()))],
    ['time', (circuit: Circuit) => (circuit.nowMs += 1000)],
  ])('its end is told: %s', (reason, end) => {
    const circuit = ramping();
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    end(circuit);
    circuit.call();
    expect(events).toEqual([{ type: 'ramped', policy: 'api', reason, openedInRow: 1 }]);
  });

  test('B7: it is not idle before it is stable', () => {
    const circuit = ramping();
    expect(circuit.layer.isIdle(circuit.nowMs + 999)).toBe(false);
    expect(circuit.layer.isIdle(circuit.nowMs + 1000)).toBe(true);
  });
});
