import { type FileHandle, open, unlink } from 'node:fs/promises';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

/**
 * Writes what can be read only once to a file at `path`, to be read as often as needed. The file has no name any more when this resolves, so
 * that nothing is left of it when the process ends, however it ends. Throws a {@link UsageError} where there is no room.
 */
export async function spool(chunks: AsyncIterable<Uint8Array>, path: string): Promise<FileHandle> {
  const file = await writing(path, () => open(path, 'wx+'));
  try {
    await writing(path, () => unlink(path));
    for await (const chunk of chunks) await writing(path, () => file.appendFile(chunk));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writing<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new UsageError(`the input cannot be kept here: ${systemReason(error)}`, { file: path });
  }
}
