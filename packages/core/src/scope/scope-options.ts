import { abortSignal, checkOptions, withMethods } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { randomCheck } from '../random/current-random.ts';
import { clockCheck } from '../time/current-clock.ts';
import { durationMs, toMs } from '../time/duration.ts';
import type { ScopeBody, ScopeOptions } from './scope.ts';

const CHECKS = {
  timeout: durationMs({ allowInfinity: true }),
  deadline: withMethods('a Deadline', 'remainingMs'),
  signal: abortSignal,
  clock: clockCheck,
  random: randomCheck,
};

const NONE: ScopeOptions = Object.freeze({});

/** What `ctx.scope` was called with. */
export type ScopeArguments<T> = readonly [body: ScopeBody<T>] | readonly [options: ScopeOptions | undefined, body: ScopeBody<T>];

/** Takes the arguments of `ctx.scope` apart; throws ERR_OPTION for the first that is wrong. */
export function readScopeArguments<T>(name: string, args: ScopeArguments<T>): { options: ScopeOptions; body: ScopeBody<T> } {
  const [options, body] = args.length === 1 ? [undefined, args[0]] : args;
  if (typeof name !== 'string' || name === '') throw optionError('ctx.scope', 'name', name, 'a text that is not empty');
  checkOptions<ScopeOptions>('ctx.scope', options, CHECKS);
  if (typeof body !== 'function') throw optionError('ctx.scope', 'body', body, 'a function');
  return { options: options ?? NONE, body };
}

/** A scope's own limit, whichever of its two it is, and what to say when it has passed. */
export interface OwnLimit {
  readonly ms: number;
  readonly isDeadline: boolean;
}

/** The least of a scope's own limits; Infinity without one. */
export function ownLimit({ timeout, deadline }: ScopeOptions): OwnLimit {
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : toMs(timeout);
  const leftMs = deadline?.remainingMs() ?? Number.POSITIVE_INFINITY;
  return leftMs < timeoutMs ? { ms: leftMs, isDeadline: true } : { ms: timeoutMs, isDeadline: false };
}
