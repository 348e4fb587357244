// Deficit round robin for calls that cost the same, where each turn is worth one call and no deficit is left: M. Shreedhar and G. Varghese,
// "Efficient fair queueing using deficit round robin", SIGCOMM 1995; without costs J. Nagle, RFC 970, 1985. Who has most is who loses when there is
// no room, else one key could fill the whole queue: A. Demers, S. Keshav and S. Shenker, "Analysis and simulation of a fair queueing algorithm",
// SIGCOMM 1989.
import { Link, LinkedList } from '../collections/linked-list.ts';

/** What waits under one key. Exists only while something does. */
class Lane<T> {
  readonly key: string | undefined;
  readonly items: LinkedList<T> = new LinkedList();
  /** Its place in the order of turns. */
  readonly turn: Link<Lane<T>> = new Link(this as Lane<T>);
  /** Its place among the lanes that are as long. */
  readonly peer: Link<Lane<T>> = new Link(this as Lane<T>);

  constructor(key: string | undefined) {
    this.key = key;
  }
}

/** The place of one item; see {@link FairTurns.remove}. */
export interface LanePlace<T> {
  readonly lane: Lane<T>;
  readonly link: Link<T>;
}

/**
 * A queue in which keys take turns, one item each: a key of which a thousand wait delays another's one by one item. Everything is O(1), and a key
 * of which nothing waits leaves nothing behind.
 */
export class FairTurns<T> {
  readonly #lanes: Map<string | undefined, Lane<T>> = new Map();
  /** The lane whose turn it is comes first. */
  readonly #turns: LinkedList<Lane<T>> = new LinkedList();
  /** The lanes of one item, of two, of three… up to the longest. */
  readonly #byLength: LinkedList<Lane<T>>[] = [];

  /** Items without a key share turns as if they had one. */
  add(item: T, key: string | undefined): LanePlace<T> {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
      this.#turns.append(lane.turn);
    }
    const link = new Link(item);
    lane.items.append(link);
    this.#measure(lane);
    return { lane, link };
  }

  /** The item whose turn it is; its key's next turn comes after everybody else's. */
  take(): T | undefined {
    const turn = this.#turns.first;
    const link = turn?.item.items.first;
    if (turn === undefined || link === undefined) return undefined;
    turn.unlink();
    this.#turns.append(turn);
    this.remove({ lane: turn.item, link });
    return link.item;
  }

  /** Takes an item out early. Only once. */
  remove({ lane, link }: LanePlace<T>): void {
    link.unlink();
    this.#measure(lane);
    if (lane.items.size > 0) return;
    lane.turn.unlink();
    this.#lanes.delete(lane.key);
  }

  /** Of the key that has most (of several such: that has had so many for longest) the oldest or the newest item. */
  ofLongest(which: 'oldest' | 'newest'): T | undefined {
    const lane = this.#longest();
    return (which === 'oldest' ? lane?.items.first : lane?.items.last)?.item;
  }

  /** As {@link ofLongest}, where a newcomer under `key`, the newest of all, is counted as well: undefined where it is the one. */
  ofLongestWith(key: string | undefined, which: 'oldest' | 'newest'): T | undefined {
    const longest = this.#longest()?.items.size ?? 0;
    const own = this.#lanes.get(key);
    const ownWith = (own?.items.size ?? 0) + 1;
    if (which === 'newest') return longest > ownWith ? this.ofLongest('newest') : undefined;
    return ownWith > longest ? own?.items.first?.item : this.ofLongest('oldest');
  }

  #longest(): Lane<T> | undefined {
    return this.#byLength.at(-1)?.first?.item;
  }

  /** A lane has become longer or shorter by one. */
  #measure({ items, peer }: Lane<T>): void {
    const lists = this.#byLength;
    peer.unlink();
    if (items.size > lists.length) lists.push(new LinkedList());
    if (items.size > 0) lists[items.size - 1]?.append(peer);
    while (lists.at(-1)?.size === 0) lists.pop();
  }
}
