import { type Call, OUTCOME, type Outcome } from 'keelson';
import type { BodyKeeper } from './body-keeper.ts';
import type { FunctionJob } from './job.ts';
import type { JobFunction } from './job-function.ts';
import type { Caller, Reply } from './reply.ts';

const SUCCESS: Outcome = { kind: 'ok', origin: 'remote' };
const NOT_TO_BE_RETRIED: Outcome = { kind: 'permanent', origin: 'local' };

/** What a function has returned cannot be written down. */
class ResultError extends Error {
  readonly code = 'ERR_RESULT';

  constructor(cause: unknown) {
    super(`the function returned what is no JSON: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`, { cause });
    this.name = 'ResultError';
    Object.defineProperty(this, OUTCOME, { value: NOT_TO_BE_RETRIED });
  }
}

/** Calls the user's function for each job. */
export class FunctionCaller implements Caller<FunctionJob> {
  readonly #call: JobFunction;
  readonly #bodies: BodyKeeper;

  constructor(call: JobFunction, bodies: BodyKeeper) {
    this.#call = call;
    this.#bodies = bodies;
  }

  async call({ id, columns }: FunctionJob, attempt: number, call: Call): Promise<Reply> {
    const bytes = bytesOf(await this.#call({ id, attempt, columns: structuredClone(columns) }, call)); // each attempt gets what the line says
    if (bytes === undefined) return { [OUTCOME]: SUCCESS, status: undefined };
    const sink = this.#bodies.sinkForSuccess(id, attempt);
    await sink.write(bytes);
    return { [OUTCOME]: SUCCESS, status: undefined, body: await sink.keep() };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function bytesOf(result: unknown): Uint8Array | undefined {
  if (result === undefined || result instanceof Uint8Array) return result;
  return Buffer.from(typeof result === 'string' ? result : asJson(result));
}

function asJson(result: unknown): string {
  try {
    const text = JSON.stringify(result) as string | undefined;
    if (text !== undefined) return text;
  } catch (error) {
    throw new ResultError(error);
  }
  throw new ResultError(typeof result);
}
