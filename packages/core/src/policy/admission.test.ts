import { describe, expect, test } from 'vitest';
import { isKeelsonError } from '../errors/keelson-error.ts';
import { Admission, type Admitting } from './admission.ts';
import { ending, onVirtualTime } from './virtual-time.test-support.ts';

const time = onVirtualTime();

/** So many pieces of work, of which some wait. */
class Room implements Admitting {
  readonly name = 'database';
  readonly admission = new Admission(this);
  readonly refused: unknown[] = [];
  running: number;
  waiting: number;

  constructor(running: number, waiting = 0) {
    this.running = running;
    this.waiting = waiting;
  }

  get isEmpty(): boolean {
    return this.running + this.waiting === 0;
  }

  refuseAll(error: () => unknown): void {
    for (; this.waiting > 0; this.waiting--) this.refused.push(error());
  }

  end(): void {
    this.running--;
    this.admission.workEnded();
  }
}

describe('P5: drain', () => {
  test('lets nobody in, and ends when the last has ended', async () => {
    const room = new Room(2);
    const { admission } = room;
    let drained = 0;
    const drains = [admission.drain().then(() => drained++), admission.drain({ timeout: '1h' }).then(() => drained++)];
    expect(admission.isOpen).toBe(false);
    room.end();
    await time.clock.settle();
    expect(drained).toBe(0);
    room.end();
    await Promise.all(drains);
    expect(drained).toBe(2);
  });

  test('of what is empty is over at once', async () => {
    const room = new Room(0);
    await room.admission.drain();
    expect(room.admission.isOpen).toBe(false);
  });

  test('that takes too long refuses those who wait, and says so; another goes on', async () => {
    const room = new Room(1, 2);
    const patient = room.admission.drain();
    const hasty = ending(room.admission.drain({ timeout: 50 }));
    await time.clock.advance(50);
    expect(await hasty).toEqual({ error: expect.objectContaining({ code: 'ERR_TIMEOUT', timeoutMs: 50, policy: 'database' }) });
    expect(room.refused).toMatchObject([{ code: 'ERR_CLOSED', message: 'database was closed' }, { code: 'ERR_CLOSED' }]);
    room.end();
    await patient;
  });

  test('ends by close where only waiting was left', async () => {
    const room = new Room(0, 1);
    const drained = room.admission.drain();
    room.admission.close();
    await drained;
    expect(room.refused).toHaveLength(1);
  });

  test.each([
    [{ timeout: 0 }, /^database.drain: timeout must be a duration above 0/],
    [{ after: 5 }, /^database.drain: unknown option "after"/],
  ])('refuses %j', async (options, message) => {
    const room = new Room(1);
    const error = await room.admission.drain(options as object).catch((e: unknown) => e);
    expect(isKeelsonError(error, 'ERR_OPTION')).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(room.admission.isOpen).toBe(true);
  });
});

test('a refusal says what was refused', () => {
  const { admission } = new Room(0);
  expect(admission.refusal('loadUser')).toMatchObject({ message: 'loadUser was refused: database is closed', operation: 'loadUser' });
});
