import { setMaxListeners } from 'node:events';
import { bulkhead as cockatielBulkhead, fallback as cockatielFallback, handleAll, wrap } from 'cockatiel';
import { compose } from 'keelson';
import pRetry from 'p-retry';
import pTimeout from 'p-timeout';
import type { Group, Settings, Subject } from '../harness/case.ts';
import { endsWithTheSignal, opens, returnsTheValue, timesOut, triesAgain } from '../harness/checks.ts';
import { IN_FLIGHT_10, IN_FLIGHT_10000, SHAPES } from '../harness/shapes.ts';
import { cockatielBreaker, cockatielRetry, cockatielTimeout, tunedCockatielTimeout } from './cockatiel.ts';
import { callOf, effectOf, loopOf, makeBreaker, withRetry, withTimeout } from './effect.ts';
import { Circuit, endAfter, endWith, tryAgain } from './hand-written.ts';
import { ourBreaker, ourRetry, ourTimeout, standardParts, WHOLE } from './keelson.ts';
import { opossum, tunedOpossum, tunedOpossumWithTimeout } from './opossum.ts';

const cockatielThree = (settings: Settings) => wrap(cockatielRetry(settings), cockatielBreaker(settings), cockatielTimeout(settings));
const tunedCockatielThree = (settings: Settings) =>
  wrap(cockatielRetry(settings), cockatielBreaker(settings), tunedCockatielTimeout(settings));

export const threeGroup: Group = {
  name: 'retry, breaker, timeout',
  about: 'the three that most calls need, joined',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await triesAgain(subject);
    await timesOut(subject);
    await opens(subject);
  },
  subjects: [
    {
      library: 'keelson',
      variant: 'retry > breaker > timeout',
      make(work, settings) {
        const policy = compose(ourRetry(settings), ourBreaker(settings), ourTimeout(settings));
        return () => policy.execute(work);
      },
    },
    {
      library: 'keelson',
      variant: 'timeout > breaker > retry',
      make(work, settings) {
        const policy = compose(ourTimeout(settings), ourBreaker(settings), ourRetry(settings));
        return () => policy.execute(work);
      },
    },
    {
      library: 'keelson',
      variant: 'breaker > retry > timeout',
      make(work, settings) {
        const policy = compose(ourBreaker(settings), ourRetry(settings), ourTimeout(settings));
        return () => policy.execute(work);
      },
    },
    {
      library: 'hand-written',
      make(work, { maxAttempts, baseDelayMs, failureThreshold, recoveryMs, timeoutMs }) {
        const circuit = new Circuit(failureThreshold, recoveryMs);
        return () => tryAgain(() => circuit.run(() => endAfter(work, timeoutMs)), maxAttempts, baseDelayMs);
      },
    },
    {
      library: 'cockatiel',
      make(work, settings) {
        const policy = cockatielThree(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'cockatiel',
      variant: 'tuned',
      make(work, settings) {
        const policy = tunedCockatielThree(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'p-retry over opossum',
      make(work, settings) {
        const breaker = opossum(work, settings);
        const options = { retries: settings.maxAttempts - 1, minTimeout: settings.baseDelayMs };
        return () => pRetry(() => breaker.fire(), options);
      },
    },
    {
      library: 'p-retry over opossum',
      variant: 'tuned',
      make(work, settings) {
        const breaker = tunedOpossumWithTimeout(work, settings);
        const options = { retries: settings.maxAttempts - 1, minTimeout: settings.baseDelayMs };
        return () => pRetry(() => breaker.fire(), options);
      },
    },
    {
      library: 'p-retry over opossum over p-timeout',
      variant: 'tuned',
      make(work, settings) {
        const limit = { milliseconds: settings.timeoutMs, message: new Error('timed out') };
        const breaker = tunedOpossum(() => pTimeout(work(), limit), settings);
        const options = { retries: settings.maxAttempts - 1, minTimeout: settings.baseDelayMs };
        return () => pRetry(() => breaker.fire(), options);
      },
    },
    {
      library: 'effect',
      make: async (work, settings) => callOf(withRetry((await makeBreaker(settings))(withTimeout(effectOf(work), settings)), settings)),
    },
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: async (work, settings) => callOf(withRetry((await makeBreaker(settings))(withTimeout(effectOf(work), settings)), settings)),
      makeLoop: async (work, settings) => loopOf(withRetry((await makeBreaker(settings))(withTimeout(effectOf(work), settings)), settings)),
    },
  ],
};

const cockatielSix = (settings: Settings, limit: typeof cockatielTimeout) =>
  wrap(
    cockatielFallback(
      handleAll.orType(Error, () => false),
      0,
    ),
    limit({ ...settings, timeoutMs: settings.timeoutMs * WHOLE }),
    cockatielRetry(settings),
    cockatielBreaker(settings),
    cockatielBulkhead(settings.maxConcurrency, Number.MAX_SAFE_INTEGER),
    limit(settings),
  );

export const standardGroup: Group = {
  name: 'standard stack',
  about: 'fallback, whole timeout, retry, breaker, rate limit, bulkhead, attempt timeout',
  shapes: SHAPES,
  check: returnsTheValue,
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = compose(...standardParts(settings));
        return () => policy.execute(work);
      },
    },
    {
      library: 'keelson',
      variant: 'one execute inside the other',
      make(work, settings) {
        const outermostLast = standardParts(settings).toReversed();
        let call = (): Promise<number> => work();
        for (const policy of outermostLast) {
          const inner = call;
          call = () => policy.execute(inner);
        }
        return call;
      },
    },
    {
      library: 'cockatiel',
      variant: 'without a rate limit',
      make(work, settings) {
        const policy = cockatielSix(settings, cockatielTimeout);
        return () => policy.execute(work);
      },
    },
    {
      library: 'cockatiel',
      variant: 'tuned, without a rate limit',
      make(work, settings) {
        const policy = cockatielSix(settings, tunedCockatielTimeout);
        return () => policy.execute(work);
      },
    },
  ],
};

function unlistened(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}

const withSignal = (
  subject: Omit<Subject, 'make'>,
  make: (...args: [...Parameters<Subject['make']>, AbortSignal]) => () => Promise<unknown>,
): Subject => ({
  ...subject,
  make: (work, settings) => make(work, settings, settings.signal ?? unlistened()),
});

export const signalGroup: Group = {
  name: 'parent signal',
  about: 'all calls of the program under one long-lived AbortSignal',
  shapes: [IN_FLIGHT_10, IN_FLIGHT_10000],
  async check(subject) {
    await returnsTheValue(subject);
    await endsWithTheSignal(subject);
  },
  subjects: [
    withSignal({ library: 'keelson', variant: 'retry > breaker > timeout' }, (work, settings, signal) => {
      const policy = compose(ourRetry(settings), ourBreaker(settings), ourTimeout(settings));
      const options = { signal };
      return () => policy.execute(work, options);
    }),
    withSignal({ library: 'hand-written', variant: 'a listener a call' }, (work, _settings, signal) => () => endWith(work, signal)),
    withSignal({ library: 'hand-written', variant: 'AbortSignal.any a call' }, (work, _settings, signal) => () => {
      const controller = new AbortController();
      return endWith(work, AbortSignal.any([signal, controller.signal]));
    }),
    withSignal({ library: 'p-timeout', variant: 'tuned' }, (work, { timeoutMs }, signal) => {
      const options = { milliseconds: timeoutMs, message: new Error('timed out'), signal };
      return () => pTimeout(work(), options);
    }),
    withSignal({ library: 'cockatiel', variant: 'tuned, retry > breaker > timeout', maxInFlight: 1000 }, (work, settings, signal) => {
      const policy = tunedCockatielThree(settings);
      return () => policy.execute(work, signal);
    }),
  ],
};
