import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/cancelled-error.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { OUTCOME, type Outcome } from '../outcome/classify.ts';
import { Circuit } from './circuit.test-support.ts';
import { Consecutive } from './trip-strategy.ts';

const down = (): Error => new Error('down');
const says = (outcome: Partial<Outcome>): Error => Object.assign(new Error('says'), { [OUTCOME]: outcome });

describe('what a failed call counts as', () => {
  test.each<[string, unknown, 'failure' | 'success' | 'neutral']>([
    ['an error that says nothing of itself', down(), 'failure'],
    ['what is no error', 'thrown text', 'failure'],
    ['nothing at all', undefined, 'failure'],
    ['the timeout of what is inside', new TimeoutError('too slow', { timeoutMs: 5 }), 'failure'],
    ['transient', says({ kind: 'transient' }), 'failure'],
    ['throttled', says({ kind: 'throttled' }), 'failure'],
    ['overloaded', says({ kind: 'overloaded' }), 'failure'],
    ['permanent: an answer', says({ kind: 'permanent' }), 'success'],
    ['one that says it is none', says({ kind: 'ok' }), 'success'],
    ['a cancellation', new CancelledError('explicit', 'stop'), 'neutral'],
    ['a cancellation at the other end', says({ kind: 'cancelled', origin: 'remote' }), 'neutral'],
    ['a full bulkhead in this process', new KeelsonError('ERR_BULKHEAD_FULL', 'full'), 'neutral'],
    ['a refusal for good in this process', new KeelsonError('ERR_OPTION', 'wrong'), 'neutral'],
  ])('%s', (_, error, bearing) => {
    const circuit = new Circuit({ strategy: new Consecutive(2, 10_000) });
    circuit.fails(circuit.call());
    circuit.fails(circuit.call(), error);
    expect(circuit.kind).toBe(bearing === 'failure' ? 'open' : 'closed');
    expect(circuit.failures).toBe(bearing === 'neutral' ? 1 : 0);
  });

  test.each<[string, unknown, boolean]>([
    ['of a class that is named', new TypeError('x'), true],
    ['of a subclass', new TimeoutError('x', { timeoutMs: 1 }), true],
    ['permanent, but named', Object.assign(new TypeError('x'), { [OUTCOME]: { kind: 'permanent' } }), true],
    ['of another class', down(), false],
  ])('handles names classes: an error %s', (_, error, isFailure) => {
    const circuit = new Circuit({ handles: [TypeError, KeelsonError] });
    circuit.fails(circuit.call(), error);
    expect(circuit.kind).toBe(isFailure ? 'open' : 'closed');
  });

  test('what handles does not name ends a row of failures', () => {
    const circuit = new Circuit({ strategy: new Consecutive(2, 10_000), handles: [TypeError] });
    for (const error of [new TypeError('x'), down(), new TypeError('x')]) circuit.fails(circuit.call(), error);
    expect(circuit.kind).toBe('closed');
  });

  test('handles is not asked about cancellations and refusals', () => {
    const asked: unknown[] = [];
    const circuit = new Circuit({ handles: (error) => asked.push(error) > 0 });
    for (const error of [new CancelledError('explicit', 'stop'), new KeelsonError('ERR_BULKHEAD_FULL', 'full')]) {
      circuit.fails(circuit.call(), error);
    }
    expect([circuit.kind, asked]).toEqual(['closed', []]);
    circuit.fails(circuit.call());
    expect(circuit.kind).toBe('open');
  });
});

describe('what a value counts as', () => {
  const valued = (outcome: Partial<Outcome>): object => ({ [OUTCOME]: outcome });

  test.each<[string, unknown, 'failure' | 'success' | 'neutral']>([
    ['any', { status: 200 }, 'success'],
    ['none', undefined, 'success'],
    ['one that says it is throttled', valued({ kind: 'throttled' }), 'failure'],
    ['one that says it is overloaded', valued({ kind: 'overloaded' }), 'failure'],
    ['one that says it is permanent', valued({ kind: 'permanent' }), 'success'],
    ['one that says it was cancelled', valued({ kind: 'cancelled' }), 'neutral'],
    ['a refusal in this process', valued({ kind: 'overloaded', origin: 'local' }), 'neutral'],
  ])('%s', (_, value, bearing) => {
    const circuit = new Circuit({ strategy: new Consecutive(2, 10_000) });
    circuit.fails(circuit.call());
    circuit.returns(circuit.call(), value);
    expect(circuit.kind).toBe(bearing === 'failure' ? 'open' : 'closed');
    expect(circuit.failures).toBe(bearing === 'neutral' ? 1 : 0);
  });

  test('those of handlesResult are failures besides; it is asked only of successes', () => {
    const asked: unknown[] = [];
    const circuit = new Circuit({
      strategy: new Consecutive(9, 10_000),
      handlesResult: (value) => {
        asked.push(value);
        return value === 'busy' || value === permanent;
      },
    });
    const permanent = valued({ kind: 'permanent' });
    const counted = [permanent, 'busy', valued({ kind: 'throttled' }), valued({ kind: 'cancelled' })].map((value) => {
      circuit.returns(circuit.call(), value);
      return circuit.failures;
    });
    expect(counted).toEqual([1, 2, 3, 3]);
    circuit.returns(circuit.call(), 'fine');
    expect(circuit.failures).toBe(0);
    expect(asked).toEqual([permanent, 'busy', 'fine']);
  });

  test('only true is true', () => {
    const circuit = new Circuit({ handlesResult: () => 'yes' as unknown as boolean });
    circuit.returns(circuit.call());
    expect(circuit.kind).toBe('closed');
  });
});
