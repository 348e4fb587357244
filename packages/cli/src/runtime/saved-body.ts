import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint, toHex } from './fingerprint.ts';
import { type BodyLimits, BodyMeter, type BodySink, type KeptBody } from './kept-body.ts';
import { OutputError } from './output-error.ts';
import { syncFolder } from './sync-folder.ts';

const MAX_NAME_LENGTH = 200;

/**
 * The name of the file for an id: letters, digits, `-`, `_` and inner dots as they are, everything else percent-encoded, so that it is one
 * name, below the folder and not hidden. A name too long for a file system is cut and ends with the id's fingerprint.
 */
export function fileNameOf(id: string): string {
  const name = encodeURIComponent(id)
    .replace(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^\.|\.$/g, '%2E');
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH)}-${toHex(fingerprint(id))}`;
}

/** Saves a body as a file, which has its name only when it is whole and durable. */
export class SavedBody implements BodySink {
  readonly #folder: string;
  readonly #path: string;
  readonly #partPath: string;
  readonly #meter: BodyMeter;
  #file: FileHandle | undefined;

  /** `attempt` keeps an attempt that was given up, and is still cleaning up, apart from the next. */
  constructor(folder: string, id: string, attempt: number, limits: BodyLimits) {
    const name = fileNameOf(id);
    this.#folder = folder;
    this.#path = join(folder, name);
    this.#partPath = join(folder, `.${name}.${attempt}.part`); // no id's file name begins with a dot
    this.#meter = new BodyMeter(limits);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const kept = this.#meter.take(chunk);
    if (kept.byteLength > 0) await this.#saving((file) => file.appendFile(kept));
  }

  async keep(): Promise<KeptBody> {
    await this.#saving(async (file) => {
      await file.datasync();
      await file.close();
      await rename(this.#partPath, this.#path);
      await syncFolder(this.#folder);
    });
    return this.#meter.result();
  }

  async drop(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#saving(async (file) => {
      await file.close();
      await unlink(this.#partPath);
    });
  }

  async #saving(step: (file: FileHandle) => Promise<void>): Promise<void> {
    try {
      this.#file ??= await open(this.#partPath, 'w');
      await step(this.#file);
    } catch (error) {
      throw new OutputError(this.#path, error);
    }
  }
}
