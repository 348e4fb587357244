import { JOURNAL_VERSION, type JournalEntry } from '../runtime/journal-entry.ts';
import type { JobFailure, Reply } from '../runtime/reply.ts';

/** What is known of a finished job beside its reply. */
export interface JobFacts {
  readonly id: string;
  /** Fingerprint in hexadecimal. */
  readonly job: string;
  readonly attempts: number;
  readonly durationMs: number;
}

/** The entry of a job that ended with a reply, or with none and a failure. Its keys stand in the order in which the journal has them. */
export function journalEntry(
  { id, job, attempts, durationMs }: JobFacts,
  reply: Partial<Reply>,
  failure: JobFailure | undefined,
): JournalEntry {
  const facts = { v: JOURNAL_VERSION, id, job, ok: failure === undefined } as const;
  return { ...facts, status: reply.status, attempts, durationMs: Math.round(durationMs), ...reply.body, error: failure };
}
