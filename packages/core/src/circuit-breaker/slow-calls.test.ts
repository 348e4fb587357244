import { describe, expect, test } from 'vitest';
import { KeelsonError } from '../errors/keelson-error.ts';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { Circuit, PLAIN } from './circuit.test-support.ts';
import type { CircuitBreakerRules } from './circuit-breaker-options.ts';
import { Consecutive, CountWindow, TimeWindow } from './trip-strategy.ts';

const SLOW = { rate: 0.5, text: '100ms' };
const windowOf = (minimumCalls: number, slow = SLOW): CountWindow =>
  new CountWindow(10, { failureRate: 1, minimumCalls, slow }, Number.POSITIVE_INFINITY);

/** A call is slow after 100 ms; two slow ones or failures in a row open the circuit. */
const slowCircuit = (rules: Partial<CircuitBreakerRules> = {}): Circuit =>
  new Circuit({ slowCallMs: 100, strategy: new Consecutive(2, 10_000), ...rules });

describe('B4: a slow call', () => {
  test('counts while it is in flight, so that a callee that hangs opens the circuit', () => {
    const circuit = slowCircuit();
    circuit.call();
    circuit.nowMs += 50;
    circuit.call();
    circuit.nowMs += 99;
    expect(circuit.kind).toBe('closed');
    circuit.nowMs += 1;
    expect(circuit.kind).toBe('open');
    expect(circuit.refusal().message).toMatch(/api is open \(it opens on 2 failures in a row\)/);
  });

  test('is one by its operation: what it waits for inside the breaker first does not count, a second attempt is the same call', () => {
    const circuit = slowCircuit({ strategy: new Consecutive(1, 10_000) });
    const step = circuit.admitted();
    circuit.nowMs += 1000;
    circuit.starts(step);
    circuit.nowMs += 60;
    circuit.starts(step);
    circuit.nowMs += 39;
    expect(circuit.kind).toBe('closed');
    circuit.nowMs += 1;
    expect(circuit.kind).toBe('open');
  });

  test('a probe is one by its operation, too; its lease runs from when it was let through', () => {
    const circuit = slowCircuit({ strategy: new Consecutive(1, 10_000) });
    circuit.fails(circuit.call());
    circuit.nowMs += 1000;
    const probe = circuit.admitted();
    circuit.nowMs += 300;
    circuit.starts(probe);
    circuit.nowMs += 99;
    expect(circuit.kind).toBe('half-open');
    circuit.nowMs += 1;
    expect(circuit.kind).toBe('open');
    circuit.nowMs += 1000;
    circuit.admitted();
    circuit.nowMs += 499;
    expect(circuit.kind).toBe('half-open');
    circuit.nowMs += 1;
    expect(circuit.kind).toBe('open');
  });

  test('has opened it when it became slow, whenever that is noticed', () => {
    const circuit = slowCircuit();
    circuit.call();
    circuit.call();
    circuit.nowMs += 600;
    expect(circuit.refusal().retryAfterMs).toBe(500);
    circuit.nowMs += 500;
    expect(circuit.kind).toBe('half-open');
  });

  test.each([
    ['a window of calls', () => windowOf(4)],
    ['a window of time', () => new TimeWindow(10_000, { failureRate: 1, minimumCalls: 4, slow: SLOW }, '10s')],
  ])('opens %s on a rate of its own', (_name, strategyOf) => {
    const circuit = slowCircuit({ strategy: strategyOf() });
    for (let i = 0; i < 3; i++) circuit.returns(circuit.call());
    for (let i = 0; i < 2; i++) circuit.call();
    circuit.nowMs += 100;
    expect(circuit.kind).toBe('closed'); // 2 of 5
    circuit.call();
    circuit.nowMs += 100;
    expect(circuit.kind).toBe('open');
  });

  test('is one by the time it took, whatever it comes to', () => {
    const circuit = slowCircuit({ strategy: windowOf(10) });
    const counts = (): object => circuit.layer.rules.strategy.counts(circuit.nowMs);
    const [quick, slow, failed] = [circuit.call(), circuit.call(), circuit.call()];
    circuit.nowMs += 99;
    circuit.returns(quick);
    expect(counts()).toEqual({ calls: 1, failures: 0, slowCalls: 0 });
    circuit.nowMs += 1;
    circuit.returns(slow);
    expect(counts()).toEqual({ calls: 3, failures: 0, slowCalls: 2 });
    circuit.fails(failed);
    expect(counts()).toEqual({ calls: 3, failures: 1, slowCalls: 2 });
  });

  test('that fails may open the circuit by its failure', () => {
    const circuit = slowCircuit({ strategy: windowOf(1, { rate: 1, text: '100ms' }) });
    circuit.returns(circuit.call());
    circuit.returns(circuit.call());
    const strategy = new CountWindow(10, { failureRate: 0.3, minimumCalls: 1, slow: { rate: 1, text: '100ms' } }, 10_000);
    circuit.layer.reconfigure({ ...circuit.layer.rules, strategy }, circuit.nowMs);
    const call = circuit.call();
    circuit.nowMs += 200;
    expect(circuit.kind).toBe('closed');
    circuit.fails(call);
    expect(circuit.kind).toBe('open');
  });

  test('that succeeds does not end a row: it has counted in it', () => {
    const circuit = slowCircuit();
    const slow = circuit.call();
    circuit.nowMs += 100;
    circuit.returns(slow);
    circuit.fails(circuit.call());
    expect(circuit.kind).toBe('open');
  });

  test('counts in the state it began in only', () => {
    const circuit = slowCircuit({ strategy: new Consecutive(1, 10_000) });
    const old = [circuit.call(), circuit.call()];
    circuit.fails(circuit.call());
    circuit.nowMs += 1000;
    circuit.returns(circuit.call());
    for (const step of old) circuit.fails(step);
    expect([circuit.kind, circuit.failures]).toEqual(['closed', 0]);
    circuit.nowMs += 5000;
    expect(circuit.kind).toBe('closed');
  });
});

describe('who is counted', () => {
  const counts = (circuit: Circuit): object => circuit.layer.rules.strategy.counts(circuit.nowMs);

  test.each([
    ['is left', (circuit: Circuit, step: ReturnType<Circuit['call']>) => circuit.isLeft(step)],
    ['was refused in this process', (circuit: Circuit, step: ReturnType<Circuit['call']>) => circuit.fails(step, full())],
  ])('a call that %s in time is neutral, also when its work goes on', (_name, end) => {
    const circuit = slowCircuit();
    const step = circuit.call();
    circuit.nowMs += 99;
    end(circuit, step);
    circuit.nowMs += 1000;
    expect(counts(circuit)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    circuit.ends(step);
    expect(circuit.layer.inFlight).toBe(0);
  });

  test.each([
    ['is left', (circuit: Circuit, step: ReturnType<Circuit['call']>) => circuit.isLeft(step)],
    ['was refused in this process', (circuit: Circuit, step: ReturnType<Circuit['call']>) => circuit.fails(step, full())],
  ])('one that %s when it was slow has been slow', (_name, end) => {
    const circuit = slowCircuit();
    const step = circuit.call();
    circuit.nowMs += 100;
    end(circuit, step);
    expect(counts(circuit)).toEqual({ calls: 1, failures: 0, slowCalls: 1 });
  });

  test('one that has answered is not slow for what it holds', () => {
    const circuit = slowCircuit();
    const step = circuit.call();
    circuit.nowMs += 50;
    circuit.returns(step);
    circuit.nowMs += 1000;
    circuit.ends(step);
    expect(counts(circuit)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('nobody is by a predicate that throws', () => {
    const circuit = slowCircuit({
      handles: () => {
        throw new Error('a mistake');
      },
    });
    const step = circuit.call();
    expect(() => circuit.fails(step)).toThrow('a mistake');
    circuit.ends(step);
    circuit.nowMs += 1000;
    expect(counts(circuit)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  const full = (): Error => new KeelsonError('ERR_BULKHEAD_FULL', 'full');
});

describe('a probe', () => {
  test('that is slow opens the circuit again at that moment, and keeps its place until its lease is over', () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    const circuit = new Circuit({ slowCallMs: 100, recoveryTimeoutMs: 200 });
    circuit.fails(circuit.call());
    circuit.nowMs += 200;
    const probe = circuit.call();
    circuit.nowMs += 150;
    circuit.returns(probe);
    expect([circuit.kind, circuit.opened]).toEqual(['open', 2]);
    expect(circuit.refusal().retryAfterMs).toBe(150);
    circuit.nowMs += 150;
    expect(circuit.refusal().message).toMatch(/probes are out/);
    circuit.ends(probe);
    circuit.call();
    expect(events.map(({ type }) => type)).toEqual(['opened', 'half-opened', 'opened', 'half-opened']);
    expect(events[2]).toMatchObject({ reason: 'slow-probe', openedInRow: 2 });
  });
});

test('another limit holds from now on, and says nothing of the past', () => {
  const circuit = slowCircuit({ strategy: new Consecutive(1, 10_000) });
  circuit.call();
  circuit.nowMs += 90;
  circuit.layer.reconfigure({ ...circuit.layer.rules, slowCallMs: 200 }, circuit.nowMs);
  circuit.nowMs += 90;
  expect(circuit.kind).toBe('closed');
  circuit.layer.reconfigure({ ...circuit.layer.rules, slowCallMs: 50 }, circuit.nowMs);
  expect(circuit.kind).toBe('open');
  expect(circuit.refusal().retryAfterMs).toBe(1000);
});

test('no call is slow any more when the rule goes, and those that began without one never are', () => {
  const circuit = slowCircuit({ strategy: new Consecutive(1, 10_000) });
  circuit.call();
  circuit.layer.reconfigure({ ...circuit.layer.rules, slowCallMs: PLAIN.slowCallMs }, circuit.nowMs);
  circuit.call();
  circuit.nowMs += 1000;
  expect(circuit.kind).toBe('closed');
  circuit.layer.reconfigure({ ...circuit.layer.rules, slowCallMs: 5000 }, circuit.nowMs);
  circuit.nowMs += 3999;
  expect(circuit.kind).toBe('closed');
  circuit.nowMs += 1;
  expect(circuit.kind).toBe('open');
  circuit.nowMs += 9000;
  expect([circuit.kind, circuit.opened]).toEqual(['half-open', 1]);
});

test('it is told with the numbers', () => {
  const events: KeelsonEvent[] = [];
  using _listening = listen('circuit-breaker', (event) => events.push(event));
  const circuit = slowCircuit();
  circuit.fails(circuit.call());
  circuit.call();
  circuit.nowMs += 100;
  circuit.refusal();
  expect(events).toEqual([
    { type: 'opened', policy: 'api', reason: 'slow-calls', openedInRow: 1, calls: 2, failures: 1, slowCalls: 1, openMs: 1000 },
  ]);
});

test('without the rule a call through a closed circuit reads no clock, and its ticket is a number', () => {
  const circuit = new Circuit();
  const { step } = circuit.enter();
  const noClock = Object.assign(step, { nowMs: () => expect.unreachable('the clock was read') });
  circuit.layer.enter(noClock);
  expect(step.ticket).toBe(1);
  circuit.layer.succeed(noClock, 'value');
  circuit.layer.release(step.ticket);
  expect(circuit.layer.inFlight).toBe(1);
});
