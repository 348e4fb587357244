import type { Layer } from './layer.ts';

/** A layer's hook, looked up once by whoever knows the layer. */
type Release = NonNullable<Layer['release']>;

let abandonedNow = 0;

/** How many abandoned pieces of work are still running in this process (law P1: counted and visible). */
export function abandonedWork(): number {
  return abandonedNow;
}

/** The release a layer is owed for a frame that is over while work beneath it goes on. */
class OwedRelease {
  remaining = 0;
  readonly layer: Layer;
  readonly release: Release;
  readonly ticket: unknown;
  #lingers = false;

  constructor(layer: Layer, release: Release, ticket: unknown) {
    this.layer = layer;
    this.release = release;
    this.ticket = ticket;
  }

  waitFor(work: OngoingWork): void {
    this.remaining++;
    work.owe(this);
    if (work.lingers) this.linger();
  }

  /** It is abandoned work that it waits for. */
  linger(): void {
    if (this.#lingers) return;
    this.#lingers = true;
    this.layer.lingering = (this.layer.lingering ?? 0) + 1;
  }

  workEnded(): void {
    if (--this.remaining > 0) return;
    if (this.#lingers) this.layer.lingering = (this.layer.lingering ?? 0) - 1;
    releaseNow(this.layer, this.release, this.ticket);
  }
}

/**
 * Work that goes on after its frames are over: an operation whose call moved on without it (abandoned), or something an attempt said it
 * holds. Permits that cover it are given back when it, and all it started, has settled.
 */
export class OngoingWork {
  /** Of the operation whose settlement ends it; -1 where something else does. */
  readonly epoch: number;
  /** Frames 0 to `depth - 1` cover it. */
  depth: number;
  /** What the attempt was ended with, once it was abandoned. */
  reason: unknown = undefined;
  readonly #home: OngoingWork[];
  #pending = 1;
  #isAbandoned = false;
  #lingers = false;
  #owed: OwedRelease[] | null = null;
  /** Works that this one is a part of. */
  #wholes: OngoingWork[] | null = null;
  #whenOver: (() => void)[] | null = null;

  constructor(home: OngoingWork[], depth: number, epoch: number, isAbandoned: boolean) {
    this.epoch = epoch;
    this.depth = depth;
    this.#home = home;
    home.push(this);
    if (isAbandoned) this.abandon();
  }

  /** Whether its call has ended without it; work that is only held is legitimate use. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Its call has ended, and does not wait for it any more. */
  abandon(): void {
    if (this.#isAbandoned || this.isOver) return;
    this.#isAbandoned = true;
    abandonedNow++;
    this.#linger();
  }

  /** Whether it is abandoned, or a part of it is: what is owed for it lingers. */
  get lingers(): boolean {
    return this.#lingers;
  }

  #linger(): void {
    if (this.#lingers) return;
    this.#lingers = true;
    if (this.#owed !== null) for (const release of this.#owed) release.linger();
    if (this.#wholes !== null) for (const whole of this.#wholes) whole.#linger();
  }

  get isOver(): boolean {
    return this.#pending === 0;
  }

  /** One more thing belongs to this work. */
  extend(): void {
    this.#pending++;
  }

  /** It is a part of `whole` from now on. */
  joins(whole: OngoingWork): void {
    this.#wholes ??= [];
    this.#wholes.push(whole);
    if (this.#lingers) whole.#linger();
    this.whenOver(() => whole.settled());
  }

  owe(release: OwedRelease): void {
    this.#owed ??= [];
    this.#owed.push(release);
  }

  whenOver(callback: () => void): void {
    this.#whenOver ??= [];
    this.#whenOver.push(callback);
  }

  /** One of the things it consists of has settled. */
  settled(): void {
    if (--this.#pending > 0) return;
    if (this.#isAbandoned) abandonedNow--;
    this.#home.splice(this.#home.indexOf(this), 1);
    if (this.#owed !== null) for (const release of this.#owed) release.workEnded();
    if (this.#whenOver !== null) for (const callback of this.#whenOver) callback();
  }
}

/** Gives a frame's permit back when the work it covers has ended, or now. */
export function releaseAfter(works: readonly OngoingWork[], frame: number, layer: Layer, release: Release, ticket: unknown): void {
  const owed = new OwedRelease(layer, release, ticket);
  for (const work of works) if (work.depth > frame) owed.waitFor(work);
  if (owed.remaining === 0) releaseNow(layer, release, ticket);
}

/** Gives a frame's permit back. */
export function releaseNow(layer: Layer, release: Release, ticket: unknown): void {
  try {
    release.call(layer, ticket);
  } catch (error) {
    reportBug(error);
  }
}

/** A layer's own mistake must neither change an outcome nor stay hidden. */
export function reportBug(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
