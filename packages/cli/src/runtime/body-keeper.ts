import { BodyInMemory, type BodyLimits, type BodySink } from './kept-body.ts';
import { SavedBody } from './saved-body.ts';
import type { Secrets } from './secrets.ts';

/** Where bodies go, and how much of each. */
export interface BodySettings {
  /** Bytes of a body in the journal. */
  readonly maxBytes: number;
  readonly hash: boolean;
  /** Saves the bodies of successes as files instead. */
  readonly save?: { readonly folder: string; readonly maxBytes: number } | undefined;
}

/** Chooses where each body goes. */
export class BodyKeeper {
  readonly #inJournal: BodyLimits;
  readonly #save: (BodyLimits & { readonly folder: string }) | undefined;
  readonly #secrets: Secrets;

  constructor({ maxBytes, hash, save }: BodySettings, secrets: Secrets) {
    this.#inJournal = { maxBytes, hash };
    this.#save = save === undefined ? undefined : { ...save, hash };
    this.#secrets = secrets;
  }

  sinkForSuccess(id: string, attempt: number): BodySink {
    return this.#save === undefined ? this.sinkForFailure() : new SavedBody(this.#save.folder, id, attempt, this.#save);
  }

  /** What a failure says is never mistaken for a saved result: it stays in the journal. */
  sinkForFailure(): BodySink {
    return new BodyInMemory(this.#inJournal, this.#secrets);
  }
}

/** Pours a whole source into a sink; on failure nothing is kept. */
export async function pour(source: AsyncIterable<Uint8Array>, sink: BodySink): Promise<void> {
  try {
    for await (const chunk of source) {
      const written = sink.write(chunk);
      if (written !== undefined) await written;
    }
  } catch (error) {
    await sink.drop();
    throw error;
  }
}
