import { inertText } from './inert-text.ts';
import type { JobFailure } from './reply.ts';
import type { Secrets } from './secrets.ts';

const MAX_MESSAGE_LENGTH = 2000;

/** Why a job failed, from whatever its last attempt was rejected with: one line without secrets (law F3). */
export function failureOf(error: unknown, secrets: Secrets): JobFailure {
  const { code, name, message } = (error instanceof Error ? error : new Error(String(error))) as NodeJS.ErrnoException;
  return cleaned({ code: typeof code === 'string' ? code : name, message }, secrets);
}

/** A failure whose text came from outside, as it may be shown. */
export function cleaned({ code, message }: JobFailure, secrets: Secrets): JobFailure {
  const shown = inertText(secrets.hideInText(message));
  return { code, message: shown.length > MAX_MESSAGE_LENGTH ? `${shown.slice(0, MAX_MESSAGE_LENGTH)}…` : shown };
}
