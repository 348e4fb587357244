import { reportBug } from './ongoing-work.ts';

/** Ends a value that nobody will receive: a late one, a lost one, or one that a retry refused. */
export function discard(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  try {
    const { [Symbol.asyncDispose]: disposeAsync, [Symbol.dispose]: dispose } = value as Partial<AsyncDisposable & Disposable>;
    if (typeof disposeAsync === 'function') Promise.resolve(disposeAsync.call(value)).catch(reportBug);
    else if (typeof dispose === 'function') dispose.call(value);
  } catch (error) {
    reportBug(error);
  }
}
