import { describe, expect, test } from 'vitest';
import { ResponseBody } from './response-body.ts';

const KIB = 1024;
const bytes = (size: number, value = 1): Uint8Array => new Uint8Array(size).fill(value);

interface Scripted {
  readonly body: ResponseBody;
  readonly calls: string[];
}

function scripted(): Scripted {
  const calls: string[] = [];
  return { calls, body: new ResponseBody({ resume: () => calls.push('resume'), cancel: () => calls.push('cancel') }) };
}

async function readAll(body: ResponseBody): Promise<number[]> {
  const sizes: number[] = [];
  for (let result = await body.next(); result.done !== true; result = await body.next()) sizes.push(result.value.byteLength);
  return sizes;
}

test('what came before is read in order, then what comes', async () => {
  const { body } = scripted();
  body.push(bytes(1));
  body.push(bytes(2));
  const reading = readAll(body);
  body.push(bytes(3));
  body.end();
  expect(await reading).toEqual([1, 2, 3]);
  expect(await body.next()).toEqual({ done: true, value: undefined });
});

test('several reads may wait at once', async () => {
  const { body } = scripted();
  const reads = [body.next(), body.next(), body.next()];
  body.push(bytes(1));
  body.push(bytes(2));
  body.end();
  expect((await Promise.all(reads)).map(({ value }) => value?.byteLength)).toEqual([1, 2, undefined]);
});

describe('law D4: the connection is held back', () => {
  test('from 64 KiB on, until less waits', async () => {
    const { body, calls } = scripted();
    expect(body.push(bytes(63 * KIB))).toBe(true);
    expect(body.push(bytes(KIB))).toBe(false);
    expect(calls).toEqual([]);
    await body.next();
    expect(calls).toEqual(['resume']);
    await body.next();
    expect(calls).toEqual(['resume']);
  });

  test('not while somebody waits', () => {
    const { body } = scripted();
    void body.next();
    expect(body.push(bytes(128 * KIB))).toBe(true);
  });

  test('nor when nobody wants the rest', () => {
    const { body, calls } = scripted();
    expect(body.push(bytes(128 * KIB))).toBe(false);
    body.drain();
    expect(calls).toEqual(['resume']);
    expect(body.push(bytes(128 * KIB))).toBe(true);
  });

  test('nothing is resumed that is over', async () => {
    const { body, calls } = scripted();
    body.push(bytes(128 * KIB));
    body.end();
    await body.next();
    expect(calls).toEqual([]);
  });
});

describe('the end', () => {
  test('a failure comes after what had come', async () => {
    const { body } = scripted();
    const failure = new Error('reset');
    body.push(bytes(1));
    body.fail(failure);
    expect((await body.next()).value?.byteLength).toBe(1);
    await expect(body.next()).rejects.toBe(failure);
    await expect(body.next()).rejects.toBe(failure);
  });

  test('a failure rejects whoever waits', async () => {
    const { body } = scripted();
    const failure = new Error('reset');
    const reads = [body.next(), body.next()];
    body.fail(failure);
    expect(await Promise.allSettled(reads)).toEqual([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
    ]);
  });

  test('law C1: a cancellation comes at once, with the reason itself', async () => {
    const { body } = scripted();
    const reason = { why: 'enough' };
    body.push(bytes(1));
    body.cancel(reason);
    await expect(body.next()).rejects.toBe(reason);
  });

  test('a body that has come whole can be read after a cancellation', async () => {
    const { body } = scripted();
    body.push(bytes(1));
    body.end();
    body.cancel(new Error('late'));
    expect(await readAll(body)).toEqual([1]);
  });

  test('the first end counts', async () => {
    const { body } = scripted();
    body.end();
    body.fail(new Error('late'));
    body.end();
    expect(body.push(bytes(1))).toBe(true);
    expect(await readAll(body)).toEqual([]);
  });
});

describe('law D1: leaving early', () => {
  test('closes the source and settles whoever waits', async () => {
    const { body, calls } = scripted();
    const read = body.next();
    expect(await body.return()).toEqual({ done: true, value: undefined });
    expect(await read).toEqual({ done: true, value: undefined });
    expect(calls).toEqual(['cancel']);
  });

  test('after the end closes nothing', async () => {
    const { body, calls } = scripted();
    body.end();
    await body.return();
    await body.return();
    expect(calls).toEqual([]);
  });
});
