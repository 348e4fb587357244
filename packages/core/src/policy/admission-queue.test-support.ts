import type { DropRule } from './admission-queue.ts';
import { PRIORITIES, type Priority } from './priority.ts';

/** One call of a {@link QueueModel}. */
export interface ModelCall {
  readonly number: number;
  readonly priority: Priority;
  readonly key: string | undefined;
  readonly sinceMs: number;
}

/** The keys of one priority. */
class ModelTurns {
  /** Whose turn it is comes first. */
  order: (string | undefined)[] = [];
  /** The keys again, the one whose number of calls has stayed the same for longest first. */
  unchanged: (string | undefined)[] = [];
}

/** What an admission queue does, as plainly as it can be said: one list, searched each time. */
export class QueueModel {
  agingPeriodMs: number;
  waiting: ModelCall[] = [];
  readonly #isFair: boolean;
  readonly #turns = PRIORITIES.map(() => new ModelTurns());

  constructor(agingPeriodMs: number, isFair: boolean) {
    this.agingPeriodMs = agingPeriodMs;
    this.#isFair = isFair;
  }

  add(call: ModelCall): void {
    this.waiting.push(call);
    const turns = this.#turnsOf(call);
    if (!turns.order.includes(call.key)) turns.order.push(call.key);
    this.#changed(call);
  }

  leave(call: ModelCall): void {
    if (!this.waiting.includes(call)) return;
    this.waiting = this.waiting.filter((each) => each !== call);
    this.#changed(call);
  }

  grant(): ModelCall | undefined {
    const [first] = this.waiting.toSorted(
      (a, b) => this.#urgencyOf(a) - this.#urgencyOf(b) || rankOf(a) - rankOf(b) || a.number - b.number,
    );
    if (first === undefined) return undefined;
    if (!this.#isFair) {
      this.leave(first);
      return first;
    }
    const turns = this.#turnsOf(first);
    const [key] = turns.order;
    turns.order = [...turns.order.slice(1), key];
    const call = this.#of(first.priority).find((each) => each.key === key) as ModelCall;
    this.leave(call);
    return call;
  }

  /** Who has to go where somebody has to. */
  toDrop(rule: DropRule): ModelCall | undefined {
    const least = PRIORITIES.findLast((priority) => this.#of(priority).length > 0);
    return least === undefined ? undefined : this.#crowd(least).at(rule === 'dropOldest' ? 0 : -1);
  }

  /** So, too, where `newcomer` counts, and may be the one. */
  toDropFor(newcomer: ModelCall, rule: DropRule): ModelCall | undefined {
    const after = new QueueModel(this.agingPeriodMs, this.#isFair);
    for (const [rank, turns] of this.#turns.entries()) {
      (after.#turns[rank] as ModelTurns).order = [...turns.order];
      (after.#turns[rank] as ModelTurns).unchanged = [...turns.unchanged];
    }
    after.waiting = [...this.waiting];
    after.add(newcomer);
    const least = PRIORITIES.findLast((priority) => after.#of(priority).length > 0) as Priority;
    const crowds = after.#crowds(least);
    // Of several keys that have as many, dropNewest takes the newest call, the newcomer.
    const crowd = rule === 'dropNewest' ? (crowds.find((each) => each.includes(newcomer)) ?? crowds[0]) : crowds[0];
    const dropped = crowd?.at(rule === 'dropOldest' ? 0 : -1);
    return dropped === newcomer ? undefined : dropped;
  }

  #crowd(priority: Priority): readonly ModelCall[] {
    return this.#crowds(priority)[0] as readonly ModelCall[];
  }

  /** The calls of each key that has most, the one that has had so many for longest first. */
  #crowds(priority: Priority): readonly (readonly ModelCall[])[] {
    const calls = this.#of(priority);
    if (!this.#isFair) return [calls];
    const { unchanged } = this.#turns[PRIORITIES.indexOf(priority)] as ModelTurns;
    const byKey = unchanged.map((key) => calls.filter((call) => call.key === key));
    const most = Math.max(...byKey.map((each) => each.length));
    return byKey.filter((each) => each.length === most);
  }

  #of(priority: Priority): readonly ModelCall[] {
    return this.waiting.filter((call) => call.priority === priority);
  }

  #urgencyOf(call: ModelCall): number {
    return rankOf(call) === 0 ? call.sinceMs : call.sinceMs + rankOf(call) * this.agingPeriodMs;
  }

  #turnsOf(call: ModelCall): ModelTurns {
    return this.#turns[rankOf(call)] as ModelTurns;
  }

  /** A call of the same priority and key has come or gone. */
  #changed(call: ModelCall): void {
    const { key } = call;
    const turns = this.#turnsOf(call);
    turns.unchanged = turns.unchanged.filter((each) => each !== key);
    if (this.#of(call.priority).some((each) => each.key === key)) turns.unchanged.push(key);
    else turns.order = turns.order.filter((each) => each !== key);
  }
}

const rankOf = ({ priority }: ModelCall): number => PRIORITIES.indexOf(priority);
