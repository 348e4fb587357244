import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyDefaults } from './policy-document.ts';
import { readPolicyFile } from './policy-file.ts';
import { parseCount, parseDuration, parseRate } from './values.ts';

let path = '';
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'keelson-policy-')), 'policy.yaml');
});
afterAll(() => rm(join(path, '..'), { recursive: true }));

async function read(text: string): Promise<unknown> {
  await writeFile(path, text);
  return await readPolicyFile(path).catch((error: Error) => error.message.replace(path, 'policy.yaml'));
}

test('a file with everything', async () => {
  const text = `
concurrency: 8
rate: 100/s
ratePerOrigin: 5/10s
timeout: 10s
totalTimeout: 1h30m
giveUpAfter: 2m
retry: { maxAttempts: 3, baseDelay: 0.5s, maxDelay: 1m }
circuitBreaker:
  failureThreshold: 5
  recoveryTimeout: 30s
  successThreshold: 2
`;
  expect(await read(text)).toEqual({
    concurrency: 8,
    rate: '100/s',
    ratePerOrigin: '5/10s',
    timeout: '10s',
    totalTimeout: '1h30m',
    giveUpAfter: '2m',
    retry: { maxAttempts: 3, baseDelay: '0.5s', maxDelay: '1m' },
    circuitBreaker: { failureThreshold: 5, recoveryTimeout: '30s', successThreshold: 2 },
  });
});

test.each(['', '# nothing\n', '{}'])('%j says nothing', async (text) => {
  expect(await read(text)).toEqual({});
});

test('off is no breaker', async () => {
  expect(await read('circuitBreaker: off')).toEqual({ circuitBreaker: 'off' });
});

test.each([
  ['concurency: 8', 'policy.yaml:1:1: unknown key "concurency"'],
  ['timeout: 5s\nretry:\n  maxAttemps: 3', 'policy.yaml:3:3: unknown key "maxAttemps" in retry'],
  ['concurrency: 0', 'policy.yaml:1:14: concurrency must be a whole number of at least 1, got 0'],
  ['concurrency: many', 'policy.yaml:1:14: concurrency must be a whole number of at least 1, got "many"'],
  ['concurrency: 1.5', 'policy.yaml:1:14: concurrency must be a whole number of at least 1, got 1.5'],
  ['\ntimeout: 10', "policy.yaml:2:10: timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got 10"],
  ['timeout: 0s', "policy.yaml:1:10: timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"0s\""],
  ['timeout: -5s', "policy.yaml:1:10: timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"-5s\""],
  ['rate: 100', "policy.yaml:1:7: rate must be a number of calls in a time, like '100/s', '20/m' or '5/10s', got 100"],
  [
    'retry:\n  baseDelay: soon',
    "policy.yaml:2:14: retry.baseDelay must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"soon\"",
  ],
  ['retry: 5', 'policy.yaml:1:8: retry must be of type object, got 5'],
  ['circuitBreaker: never', 'policy.yaml:1:17: circuitBreaker must be \'off\' or an object of settings, got "never"'],
  ['circuitBreaker:\n  threshold: 5', 'policy.yaml:2:3: unknown key "threshold" in circuitBreaker'],
  ['- a list', 'policy.yaml:1:1: the file must be of type object, got a list'],
  [
    'timeout: "\\e[31m"',
    "policy.yaml:1:10: timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"\\x1b[31m\"",
  ],
  ['timeout: 5s\n---\ntimeout: 6s', 'policy.yaml:2:1: a second document begins here, but a policy file holds one'],
  ['timeout: *nowhere', 'policy.yaml:1:10: a policy has no aliases'],
  ['timeout: &t 5s\ntotalTimeout: *t', 'policy.yaml:2:15: a policy has no aliases'],
])('%j is refused in place', async (text, message) => {
  expect(await read(text)).toBe(message);
});

test.each(['a: [1', 'a: 1\na: 2', 'timeout: "open', '\ttimeout: 5s'])('%j is no YAML, and the place is named', async (text) => {
  expect(await read(text)).toMatch(/^policy\.yaml:\d+:\d+: \S/);
});

test('a file that cannot be read is named', async () => {
  await expect(readPolicyFile(`${path}.missing`)).rejects.toThrow(`${path}.missing: cannot be read: no such file or directory`);
});

describe('the schema says the same as the code', () => {
  interface Schema {
    readonly properties: Record<string, Schema>;
    readonly then?: Schema;
    readonly default?: unknown;
    readonly $defs: Record<string, { readonly pattern: string; readonly minimum: number }>;
  }
  const schema = async (): Promise<Schema> =>
    JSON.parse(await readFile(new URL('../../schema/policy.schema.json', import.meta.url), 'utf8')) as Schema;
  const defaultsIn = ({ properties, then, default: own }: Partial<Schema>): unknown => {
    const parts = properties ?? then?.properties;
    if (parts === undefined) return own;
    return Object.fromEntries(
      Object.entries(parts).flatMap(([key, part]) => (defaultsIn(part) === undefined ? [] : [[key, defaultsIn(part)]])),
    );
  };

  test('about defaults', async () => {
    expect(defaultsIn(await schema())).toEqual(policyDefaults);
  });

  const accepts = (parse: (text: string) => unknown, text: string): boolean => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };

  test.each([
    ['5s 0.5s 5ms 1h30m 1h 1s5ms 1h0m 0.1ms', true],
    ['5 0s 0.0s 0h0m soon -5s 1e3ms 5S 30m1h 1s1s ms', false],
  ])('about the durations %s: %s', async (texts, expected) => {
    const { $defs } = await schema();
    for (const text of texts.split(' ')) {
      expect(new RegExp($defs['duration']?.pattern ?? '').test(text), `schema: ${text}`).toBe(expected);
      if (text !== '1e3ms') expect(accepts(parseDuration, text), `code: ${text}`).toBe(expected); // flags take any number, a file only plain ones
    }
  });

  test.each(['1/s', '0/s', '100/10s', '1/0s', '1/d', '1', '/s', '1.5/s'])('about the rate %j', async (text) => {
    const { $defs } = await schema();
    expect(new RegExp($defs['rate']?.pattern ?? '').test(text)).toBe(accepts(parseRate, text));
  });

  test('about counts', async () => {
    expect([(await schema()).$defs['count']?.minimum, accepts(parseCount, '0'), accepts(parseCount, '1')]).toEqual([1, false, true]);
  });
});
