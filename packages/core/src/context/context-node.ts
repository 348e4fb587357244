import type { CancelToken } from '../cancel/cancel-token.ts';
import type { Random } from '../random/random.ts';
import type { Clock } from '../time/clock.ts';

/** What code inside a scope or task inherits: one node of a tree, found through the one AsyncLocalStorage. */
export interface ContextNode {
  readonly parent: ContextNode | undefined;
  /** Names from the root scope down: `'app/import/row 7'`. */
  readonly path: string;
  readonly token: CancelToken;
  /** Absolute, on `clock`; Infinity without one. Already the least of all enclosing ones (law T4). */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Set once whatever this node stood for is over: through it nothing more can be started (law S5). */
  readonly isClosed: boolean;
  /** Keeps the node's owner from ending until the returned function is called: for abandoned work, which is its child (law P1). */
  keepOpen(what: string): () => void;
}
