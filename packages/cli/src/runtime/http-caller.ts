import { STATUS_CODES } from 'node:http';
import { AsyncHttpClient } from '@keelson/http';
import { type Call, OUTCOME } from 'keelson';
import { type BodyKeeper, pour } from './body-keeper.ts';
import type { HttpJob } from './job.ts';
import type { Caller, Reply } from './reply.ts';

/** How requests are made. */
export interface HttpCallerSettings {
  /** Calls at the same time, also to one origin. */
  readonly concurrency: number;
  /** Headers from the environment, for every job that has no such header of its own. */
  readonly secretHeaders: Readonly<Record<string, string>>;
}

/** Makes the calls of HTTP jobs. */
export class HttpCaller implements Caller<HttpJob> {
  readonly #client: AsyncHttpClient;
  readonly #secretHeaders: Readonly<Record<string, string>>;
  readonly #bodies: BodyKeeper;

  constructor({ concurrency, secretHeaders }: HttpCallerSettings, bodies: BodyKeeper) {
    this.#client = new AsyncHttpClient({
      connectionsPerOrigin: concurrency,
      // The attempt's own timeout decides.
      headersTimeout: Number.POSITIVE_INFINITY,
      bodyTimeout: Number.POSITIVE_INFINITY,
    });
    this.#secretHeaders = secretHeaders;
    this.#bodies = bodies;
  }

  call(job: HttpJob, attempt: number, call: Call): Promise<Reply> {
    const { url, method, body } = job;
    const headers = { ...this.#secretHeaders, ...job.headers };
    return this.#client.use(
      { url, method, headers, body },
      async (response) => {
        const { status, ok } = response;
        const sink = ok ? this.#bodies.sinkForSuccess(job.id, attempt) : this.#bodies.sinkForFailure();
        await pour(response.body, sink);
        const failure = ok ? undefined : { code: 'ERR_HTTP_STATUS', message: `answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd() };
        return { [OUTCOME]: response[OUTCOME], status, body: await sink.keep(), failure };
      },
      { parent: call },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
