import { describe, expectTypeOf, test } from 'vitest';
import {
  type Attempt,
  type BulkheadFullError,
  bulkhead,
  type Call,
  type CircuitOpenError,
  type ClosedError,
  type ComposeOptions,
  circuitBreaker,
  compose,
  ctx,
  type ExecuteOptions,
  fallback,
  type KeelsonError,
  type KeyedOptions,
  keyed,
  type Policy,
  policyFrom,
  retry,
  type Scope,
  type ScopeOptions,
  type Task,
  type TaskContext,
  type TimeoutError,
  timeout,
} from './index.ts';

interface User {
  readonly id: number;
}
const loadUser = (call: Call): Promise<User> => Promise.resolve({ id: call.attempt });

describe('compose', () => {
  test('infers what a fallback puts in the place of a value', () => {
    const policy = compose(fallback('unknown'), timeout('10s'), retry({ maxAttempts: 5 }), timeout('2s'));
    expectTypeOf(policy.execute(loadUser)).resolves.toEqualTypeOf<User | string>();
    expectTypeOf(compose(fallback(null), retry()).execute(loadUser)).resolves.toEqualTypeOf<User | null>();
    expectTypeOf(
      compose(
        fallback(async () => 5),
        retry(),
      ).execute(loadUser),
    ).resolves.toEqualTypeOf<User | number>();
  });

  test('refuses a promise in the place of a value', () => {
    // @ts-expect-error it has begun before anything failed
    fallback(Promise.resolve(1));
  });

  test('adds nothing where nothing is put in place', () => {
    expectTypeOf(
      compose(timeout('1s'), retry(), circuitBreaker(), bulkhead({ maxConcurrency: 1 })).execute(loadUser),
    ).resolves.toEqualTypeOf<User>();
    expectTypeOf(compose().execute(loadUser)).resolves.toEqualTypeOf<User>();
  });

  test('unites the replacements of several, nested, keyed and foreign ones', () => {
    const cached = policyFrom<'cached'>('cached', async (operation, { parent }) => (parent === undefined ? 'cached' : operation(parent)));
    const policy = compose(
      fallback(0),
      compose(fallback(null), timeout('1s')),
      keyed('host', () => fallback(false)),
      cached,
    );
    expectTypeOf(policy.execute(loadUser)).resolves.toEqualTypeOf<User | number | null | boolean | 'cached'>();
  });

  test('unites what the policies reject with', async () => {
    const policy = compose(timeout('1s'), retry(), circuitBreaker(), bulkhead({ maxConcurrency: 1 }));
    const attempt = await policy.attempt(loadUser);
    if (!attempt.ok && attempt.by === 'policy') {
      expectTypeOf(attempt.error).toEqualTypeOf<TimeoutError | CircuitOpenError | BulkheadFullError | ClosedError>();
    }
  });

  test('takes options as the last argument, and forwards undefined', () => {
    const options: ComposeOptions = { name: undefined, classify: undefined };
    expectTypeOf(compose(fallback(1), retry(), options).execute(loadUser)).resolves.toEqualTypeOf<User | number>();
    expectTypeOf(compose(fallback(1), { name: 'x' }).execute(loadUser)).resolves.toEqualTypeOf<User | number>();
    compose(retry(), { classify: () => ({ kind: 'ok', origin: 'remote' }) });
    compose(retry(), { classify: (settled) => ({ kind: settled.ok ? 'ok' : 'permanent', origin: 'remote' }) });
    // @ts-expect-error options come last
    compose({ name: 'x' }, retry());
    // @ts-expect-error not a policy
    compose(retry(), 5);
    // @ts-expect-error no such option
    compose(retry(), { clasify: () => ({ kind: 'ok', origin: 'remote' }) });
  });

  test('is a policy for whoever asks for one', () => {
    expectTypeOf(compose(timeout('1s'))).toExtend<Policy<never, TimeoutError>>();
    expectTypeOf(compose(timeout('1s'))).toExtend<Policy>();
    expectTypeOf(compose(fallback('x'))).not.toExtend<Policy>();
    expectTypeOf(compose(fallback('x'))).toExtend<Policy<string>>();
  });
});

describe('attempt', () => {
  test('narrows by how the call ended', async () => {
    const attempt = await compose(fallback('unknown'), timeout('1s')).attempt(loadUser);
    expectTypeOf(attempt).toEqualTypeOf<Attempt<User | string, TimeoutError>>();
    if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<User | string>();
    else {
      expectTypeOf(attempt.by).toEqualTypeOf<'policy' | 'operation' | 'caller'>();
      switch (attempt.by) {
        case 'policy':
          expectTypeOf(attempt.error).toEqualTypeOf<TimeoutError>();
          break;
        case 'operation':
        case 'caller':
          expectTypeOf(attempt.error).toEqualTypeOf<unknown>();
      }
      // @ts-expect-error there is no value
      expectTypeOf(attempt.value).toBeNever();
    }
  });
});

describe('execute', () => {
  test('forwards undefined in every option', () => {
    const options: ExecuteOptions = {
      name: undefined,
      parent: undefined,
      signal: undefined,
      timeout: undefined,
      deadline: undefined,
      keys: undefined,
      cost: undefined,
      idempotent: undefined,
    };
    expectTypeOf(timeout('1s').execute(loadUser, options)).resolves.toEqualTypeOf<User>();
    // @ts-expect-error no such option
    void timeout('1s').execute(loadUser, { timout: '5s' });
  });

  test('takes operations of every kind', () => {
    expectTypeOf(timeout('1s').execute(() => 1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(timeout('1s').execute((): undefined => undefined)).resolves.toEqualTypeOf<undefined>();
    // @ts-expect-error a promise has begun already
    void timeout('1s').execute(Promise.resolve(1));
  });
});

describe('wrap', () => {
  test('keeps arguments and result', () => {
    const load = compose(fallback(null), retry()).wrap((_call, id: number, fields?: readonly string[]) => ({ id, fields }));
    expectTypeOf(load).parameters.toEqualTypeOf<[id: number, fields?: readonly string[] | undefined]>();
    expectTypeOf(load).returns.resolves.toEqualTypeOf<{ id: number; fields: readonly string[] | undefined } | null>();
    // @ts-expect-error the id is missing
    void load();
  });

  test('keeps this', () => {
    class Client {
      readonly base = '/';
      load = timeout('1s').wrap(function (this: Client, _call: Call, path: string): string {
        return this.base + path;
      });
    }
    expectTypeOf(new Client().load('users')).resolves.toEqualTypeOf<string>();
    const { load } = new Client();
    // @ts-expect-error called without its object
    void load('users');
  });

  test('gives the arguments to an options function', () => {
    timeout('1s').wrap(
      (_call, host: string, n: number) => host.repeat(n),
      (host, n) => {
        expectTypeOf(host).toEqualTypeOf<string>();
        expectTypeOf(n).toEqualTypeOf<number>();
        return { keys: { host }, cost: n };
      },
    );
  });
});

describe('keyed', () => {
  test('has the outcomes of what it makes', async () => {
    const policy = keyed('host', (host) => {
      expectTypeOf(host).toEqualTypeOf<string>();
      return compose(fallback(host), circuitBreaker());
    });
    expectTypeOf(policy.execute(loadUser)).resolves.toEqualTypeOf<User | string>();
    expectTypeOf(policy.get('a')).toEqualTypeOf<Policy<string, CircuitOpenError | ClosedError> | undefined>();
    const attempt = await policy.attempt(loadUser);
    if (!attempt.ok && attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<CircuitOpenError | ClosedError>();
    const options: KeyedOptions = { maxKeys: undefined, name: undefined };
    keyed('host', () => retry(), options);
    // @ts-expect-error not a policy
    keyed('host', () => 5);
  });
});

describe('policyFrom', () => {
  test('names what it may put in place and reject with', async () => {
    const policy = policyFrom<string, KeelsonError>('mine', async (operation, options) => {
      expectTypeOf(options).toEqualTypeOf<ExecuteOptions>();
      return operation(options.parent as Call);
    });
    expectTypeOf(policy.execute(loadUser)).resolves.toEqualTypeOf<User | string>();
    expectTypeOf(
      policyFrom('mine', async (operation, { parent }) => operation(parent as Call)).execute(loadUser),
    ).resolves.toEqualTypeOf<User>();
    expectTypeOf(
      policyFrom('at once', (operation, { parent }) => operation(parent as Call)).execute(loadUser),
    ).resolves.toEqualTypeOf<User>();
    const attempt = await policy.attempt(loadUser);
    if (!attempt.ok && attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<KeelsonError>();
  });
});

describe('ctx', () => {
  test('scope infers what its body returns', () => {
    expectTypeOf(ctx.scope('app', () => 1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(ctx.scope('app', { timeout: '5s' }, async () => 'x')).resolves.toEqualTypeOf<string>();
    expectTypeOf(ctx.scope('app', undefined, async () => 'x')).resolves.toEqualTypeOf<string>();
    expectTypeOf(ctx.scope('app', async (scope) => scope.spawn(async () => new Map<string, User>()))).resolves.toEqualTypeOf<
      Map<string, User>
    >();
    void ctx.scope('app', (scope) => expectTypeOf(scope).toEqualTypeOf<Scope>());
    const options: ScopeOptions = { timeout: undefined, deadline: undefined, signal: undefined, clock: undefined, random: undefined };
    void ctx.scope('app', options, () => 1);
    // @ts-expect-error the body is missing
    void ctx.scope('app', { timeout: '5s' });
    // @ts-expect-error no duration
    void ctx.scope('app', { timeout: '5' }, () => 1);
  });

  test('a task awaits to what its function returns', async () => {
    const task = ctx.spawn(async (own) => {
      expectTypeOf(own).toEqualTypeOf<TaskContext>();
      return { id: 1 };
    });
    expectTypeOf(task).toEqualTypeOf<Task<{ id: number }>>();
    expectTypeOf(await task).toEqualTypeOf<{ id: number }>();
    expectTypeOf(task.promise).toEqualTypeOf<Promise<{ id: number }>>();
    expectTypeOf(await Promise.all([task, ctx.spawn(() => 'x', { name: undefined })])).toEqualTypeOf<[{ id: number }, string]>();
    expectTypeOf(task.catch(() => null)).resolves.toEqualTypeOf<{ id: number } | null>();
  });

  test('a task serves as the parent of a call', () => {
    ctx.spawn((task) => timeout('1s').execute(loadUser, { parent: task, name: undefined }));
  });

  test('a scope has all that ctx has', () => {
    void ctx.scope('app', (scope) => {
      expectTypeOf<Scope>().toExtend<typeof ctx>();
      return scope.scope('inner', () => 1);
    });
  });
});
