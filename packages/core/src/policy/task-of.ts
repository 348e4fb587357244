import type { ContextNode } from '../context/context-node.ts';
import type { Call } from './policy.ts';

/** The spawned task whose context serves as the parent of a call; undefined where the parent is the call of an attempt. */
export function taskOf(parent: Call | undefined): (Call & ContextNode) | undefined {
  return parent !== undefined && 'token' in parent && 'keepOpen' in parent ? (parent as Call & ContextNode) : undefined;
}
