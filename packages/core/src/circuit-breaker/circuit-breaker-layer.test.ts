import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/cancelled-error.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { Circuit } from './circuit.test-support.ts';
import type { CircuitBreakerRules } from './circuit-breaker-options.ts';
import { CircuitOpenError } from './circuit-open-error.ts';
import { Consecutive } from './trip-strategy.ts';

describe('a refusal', () => {
  test('of an open circuit says what it opens on and when to come back', () => {
    const circuit = new Circuit({ strategy: new Consecutive(3, 10_000) });
    for (let i = 0; i < 3; i++) circuit.fails(circuit.call());
    circuit.nowMs = 400;
    const error = circuit.refusal({ operation: 'loadUser' });
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({
      name: 'CircuitOpenError',
      code: 'ERR_CIRCUIT_OPEN',
      message: 'loadUser was refused: api is open (it opens on 3 failures in a row); try again in 600ms',
      policy: 'api',
      operation: 'loadUser',
      retryAfterMs: 600,
    });
    expect(error.stack?.split('\n')).toHaveLength(1);
  });

  test('B3: of a half-open one is at once, too', () => {
    const circuit = new Circuit().halfOpen();
    circuit.call();
    circuit.nowMs += 200;
    expect(circuit.refusal({ operation: 'loadUser' })).toMatchObject({
      message: 'loadUser was refused: api is half-open, and its probes are out; try again in 300ms',
      retryAfterMs: 300,
    });
  });

  test('is counted', () => {
    const circuit = new Circuit().halfOpen();
    expect(circuit.layer.rejected).toBe(0);
    circuit.call();
    circuit.refusal();
    circuit.refusal();
    expect([circuit.opened, circuit.layer.rejected]).toEqual([1, 2]);
  });
});

describe('B1: a late result', () => {
  test.each(['fails', 'returns'] as const)('of a call from before it opened is ignored (%s)', (end) => {
    const circuit = new Circuit();
    const late = circuit.call();
    circuit.halfOpen();
    circuit[end](late);
    expect(circuit.kind).toBe('half-open');
    const probe = circuit.call();
    circuit.returns(probe);
    circuit.layer.release(probe.ticket);
    const [closed] = [circuit.call()];
    circuit[end](late);
    expect([circuit.kind, circuit.failures]).toEqual(['closed', 0]);
    circuit.fails(closed);
    expect(circuit.kind).toBe('open');
  });

  test.each(['fails', 'returns'] as const)('of a probe from before it opened again is ignored (%s)', (end) => {
    const circuit = new Circuit({ maxProbes: 2 }).halfOpen();
    const [first, late] = [circuit.call(), circuit.call()];
    circuit.fails(first);
    circuit.nowMs += 100;
    circuit[end](late);
    expect([circuit.kind, circuit.opened]).toEqual(['open', 2]);
    expect(circuit.refusal().retryAfterMs).toBe(900);
  });
});

describe('B2: a probe', () => {
  test('that is lost has opened the circuit when its lease ended, and its late result is ignored', () => {
    const circuit = new Circuit().halfOpen();
    const probe = circuit.call();
    circuit.nowMs += 700;
    circuit.returns(probe);
    expect([circuit.kind, circuit.opened]).toEqual(['open', 2]);
    expect(circuit.refusal().retryAfterMs).toBe(800);
  });

  test('that is left is neutral; its place comes back when its work has ended', () => {
    const circuit = new Circuit().halfOpen();
    const probe = circuit.call();
    circuit.isLeft(probe);
    expect(circuit.kind).toBe('half-open');
    expect(circuit.refusal()).toBeInstanceOf(CircuitOpenError);
    circuit.layer.release(probe.ticket);
    circuit.returns(circuit.call());
    expect(circuit.kind).toBe('closed');
  });

  test('that is left gives its place back when its lease ends, whatever its work does; and that is no failure', () => {
    const circuit = new Circuit().halfOpen();
    circuit.isLeft(circuit.call());
    circuit.nowMs += 500;
    expect(circuit.kind).toBe('half-open');
    circuit.call();
    expect(circuit.opened).toBe(1);
  });

  test('that is left after its lease has failed before', () => {
    const circuit = new Circuit().halfOpen();
    const probe = circuit.call();
    circuit.nowMs += 600;
    circuit.isLeft(probe);
    expect([circuit.kind, circuit.opened]).toEqual(['open', 2]);
  });

  test.each([
    ['a refusal in this process', new KeelsonError('ERR_BULKHEAD_FULL', 'full')],
    ['a cancellation', new CancelledError('explicit', 'stop')],
  ])('that ends with %s is neutral', (_, error) => {
    const circuit = new Circuit().halfOpen();
    const probe = circuit.call();
    circuit.fails(probe, error);
    circuit.layer.release(probe.ticket);
    circuit.nowMs += 5000;
    expect([circuit.kind, circuit.opened]).toEqual(['half-open', 1]);
    circuit.call();
  });

  test('counts once', () => {
    const circuit = new Circuit({ successThreshold: 2 }).halfOpen();
    const probe = circuit.call();
    circuit.returns(probe);
    circuit.returns(probe);
    expect(circuit.kind).toBe('half-open');
  });

  test('whose predicate throws is no probe any more once its work has ended', () => {
    const circuit = new Circuit({
      handles: (error) => {
        if (error === 'odd') throw new Error('a mistake');
        return true;
      },
    }).halfOpen();
    const probe = circuit.call();
    expect(() => circuit.fails(probe, 'odd')).toThrow('a mistake');
    circuit.layer.release(probe.ticket);
    circuit.nowMs += 5000;
    expect([circuit.kind, circuit.layer.stateAt(circuit.nowMs).probes]).toEqual(['half-open', []]);
  });
});

test('a call that is left while the circuit is closed is neutral', () => {
  const circuit = new Circuit({ strategy: new Consecutive(2, 10_000) });
  circuit.fails(circuit.call());
  const call = circuit.call();
  circuit.isLeft(call);
  circuit.layer.release(call.ticket);
  expect([circuit.kind, circuit.failures]).toEqual(['closed', 1]);
});

test('B7: is idle only where it is closed and remembers no failure', () => {
  const circuit = new Circuit({ strategy: new Consecutive(2, 10_000) });
  const isIdle = (): boolean => circuit.layer.isIdle(circuit.nowMs);
  expect(isIdle()).toBe(true);
  circuit.fails(circuit.call());
  expect(isIdle()).toBe(false);
  circuit.nowMs += 10_001;
  expect(isIdle()).toBe(true);
  circuit.fails(circuit.call());
  circuit.fails(circuit.call());
  expect(isIdle()).toBe(false);
  circuit.nowMs += 1_000_000;
  expect(isIdle()).toBe(false);
  circuit.returns(circuit.call());
  expect([circuit.kind, isIdle()]).toEqual(['closed', false]); // it may open again, and then for longer
  circuit.nowMs += 1000;
  expect(isIdle()).toBe(true);
});

test('B7: one that its owner closed is not idle: made anew it would let calls in again', () => {
  const { layer } = new Circuit();
  expect(layer.isIdle(0)).toBe(true);
  layer.admission.close();
  expect(layer.isIdle(0)).toBe(false);
});

describe('events', () => {
  const told = (body: (circuit: Circuit, events: KeelsonEvent[]) => void, rules?: Partial<CircuitBreakerRules>): KeelsonEvent[] => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    body(new Circuit(rules), events);
    return events;
  };

  test('tell each change of the state, and why it opened', () => {
    const events = told(
      (circuit) => {
        for (let i = 0; i < 2; i++) circuit.fails(circuit.call());
        circuit.nowMs += 1000;
        circuit.fails(circuit.call());
        circuit.nowMs += 1000;
        circuit.call();
        circuit.nowMs += 2000;
        circuit.returns(circuit.call());
      },
      { strategy: new Consecutive(2, 10_000) },
    );
    expect(events).toEqual([
      { type: 'opened', policy: 'api', reason: 'failures', openedInRow: 1, calls: 2, failures: 2, slowCalls: 0, openMs: 1000 },
      { type: 'half-opened', policy: 'api', reason: 'time', openedInRow: 1 },
      { type: 'opened', policy: 'api', reason: 'failed-probe', openedInRow: 2, openMs: 1000 },
      { type: 'half-opened', policy: 'api', reason: 'time', openedInRow: 2 },
      { type: 'opened', policy: 'api', reason: 'lost-probe', openedInRow: 3, openMs: 1000 },
      { type: 'half-opened', policy: 'api', reason: 'time', openedInRow: 3 },
      { type: 'closed', policy: 'api', reason: 'successes', openedInRow: 3 },
    ]);
  });

  test('are told when it happens', () => {
    told((circuit, soFar) => {
      const types = (): string[] => soFar.splice(0).map(({ type }) => type);
      circuit.fails(circuit.call());
      expect(types()).toEqual(['opened']);
      circuit.nowMs += 1000;
      const probe = circuit.call();
      expect(types()).toEqual(['half-opened']);
      circuit.nowMs += 600;
      circuit.returns(probe); // too late
      expect(types()).toEqual(['opened']);
      circuit.nowMs += 1000;
      circuit.returns(circuit.call());
      expect(types()).toEqual(['half-opened', 'closed']);
    });
  });

  test('tell changes only', () => {
    const events = told(
      (circuit) => {
        circuit.fails(circuit.halfOpen().call());
        circuit.nowMs += 500; // the failed probe, whose work goes on, loses its place
        circuit.refusal();
        expect(circuit.opened).toBe(2);
        circuit.nowMs += 500;
        for (let i = 0; i < 2; i++) {
          const probe = circuit.call();
          circuit.returns(probe);
          circuit.layer.release(probe.ticket);
        }
      },
      { successThreshold: 2 },
    );
    expect(events.map(({ type }) => type)).toEqual(['opened', 'half-opened', 'opened', 'half-opened', 'closed']);
  });

  test('of what was noticed while a call was left come with the next call', () => {
    const events = told((circuit, soFar) => {
      const probe = circuit.halfOpen().call();
      circuit.nowMs += 600;
      circuit.isLeft(probe);
      expect(soFar).toHaveLength(2);
      circuit.refusal();
    });
    expect(events.map(({ type }) => type)).toEqual(['opened', 'half-opened', 'opened']);
  });

  test('reach a listener that makes calls of its own in order', () => {
    const circuit = new Circuit();
    const seen: string[] = [];
    using _listening = listen('circuit-breaker', ({ type }) => {
      seen.push(type);
      if (type === 'half-opened') expect(circuit.refusal()).toBeInstanceOf(CircuitOpenError);
    });
    circuit.halfOpen();
    circuit.fails(circuit.call());
    expect(seen).toEqual(['opened', 'half-opened', 'opened']);
  });
});

describe('the description', () => {
  test('has the options in force', () => {
    expect(new Circuit().layer.describe()).toEqual({
      name: 'api',
      kind: 'circuit-breaker',
      options: { failureThreshold: 1 },
      place: 5,
    });
  });

  test.each<[Partial<CircuitBreakerRules>, boolean]>([
    [{}, false],
    [{ handles: () => true }, true],
    [{ handlesResult: () => true }, true],
  ])('P3: it runs code of the caller’s: %#', (rules, runs) => {
    expect(new Circuit(rules).layer.runsCallerCode).toBe(runs);
  });
});
