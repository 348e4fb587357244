import type { Group } from '../harness/case.ts';
import { opens, refuses, returnsTheValue } from '../harness/checks.ts';
import type { OneCall, Work } from '../harness/loops.ts';
import { ONE_TICK, SEQUENTIAL, SHAPES } from '../harness/shapes.ts';
import { cockatielBreaker } from './cockatiel.ts';
import { callOf, effectOf, loopOf, makeBreaker } from './effect.ts';
import { Circuit } from './hand-written.ts';
import { ourBreaker } from './keelson.ts';
import { opossum, tunedOpossum } from './opossum.ts';

export const circuitBreakerGroup: Group = {
  name: 'circuit breaker',
  about: 'a closed circuit breaker',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await opens(subject);
  },
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = ourBreaker(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'hand-written',
      make(work, { failureThreshold, recoveryMs }) {
        const circuit = new Circuit(failureThreshold, recoveryMs);
        return () => circuit.run(work);
      },
    },
    {
      library: 'cockatiel',
      make(work, settings) {
        const policy = cockatielBreaker(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'opossum',
      make(work, settings) {
        const breaker = opossum(work, settings);
        return () => breaker.fire();
      },
    },
    {
      library: 'opossum',
      variant: 'tuned',
      make(work, settings) {
        const breaker = tunedOpossum(work, settings);
        return () => breaker.fire();
      },
    },
    { library: 'effect', make: async (work, settings) => callOf((await makeBreaker(settings))(effectOf(work))) },
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: async (work, settings) => callOf((await makeBreaker(settings))(effectOf(work))),
      makeLoop: async (work, settings) => loopOf((await makeBreaker(settings))(effectOf(work))),
    },
  ],
};

const fails: Work = () => Promise.reject(new Error('down'));
const refused = (): 'refused' => 'refused';

/** Opens what `run` is guarded by, and gives the call that it refuses from then on. */
async function opened(run: (work: Work) => Promise<unknown>, work: Work): Promise<OneCall> {
  for (let i = 0; i < 10; i++) await run(fails).catch(refused);
  return () => run(work).catch(refused);
}

export const openCircuitGroup: Group = {
  name: 'open circuit',
  about: 'an open circuit breaker refuses, and the caller catches the error',
  shapes: [SEQUENTIAL, ONE_TICK],
  check: refuses,
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = ourBreaker(settings);
        return opened((each) => policy.execute(each), work);
      },
    },
    {
      library: 'hand-written',
      make(work, { failureThreshold, recoveryMs }) {
        const circuit = new Circuit(failureThreshold, recoveryMs);
        return opened((each) => circuit.run(each), work);
      },
    },
    {
      library: 'cockatiel',
      make(work, settings) {
        const policy = cockatielBreaker(settings);
        return opened((each) => policy.execute(each), work);
      },
    },
    {
      library: 'opossum',
      async make(work, settings) {
        let current = fails;
        const breaker = tunedOpossum(() => current(), settings);
        for (let i = 0; i < 10; i++) await breaker.fire().catch(refused);
        current = work;
        return () => breaker.fire().catch(refused);
      },
    },
    {
      library: 'effect',
      async make(work, settings) {
        const guarded = await makeBreaker(settings);
        for (let i = 0; i < 10; i++) await callOf(guarded(effectOf(fails)))().catch(refused);
        const call = callOf(guarded(effectOf(work)));
        return () => call().catch(refused);
      },
    },
  ],
};
