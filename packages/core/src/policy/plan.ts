import { type EventChannel, eventChannel } from '../observe/events.ts';
import type { LimitList } from '../time/limit-list.ts';
import type { Answer, Layer, Step, Verdict } from './layer.ts';
import type { ForeignPart, LayerPart, StaticPart } from './part.ts';

/** Stands where a foreign policy does: decides nothing. */
const FOREIGN: Layer = { kind: 'foreign', name: 'foreign', describe: () => ({ name: 'foreign', kind: 'foreign', options: {} }) };

/** One layer's place in a plan, its hooks looked up once. */
export class Slot {
  readonly name: string;
  readonly layer: Layer;
  readonly foreign: ForeignPart['foreign'] | undefined;
  readonly classify: LayerPart['classify'];
  readonly channel: EventChannel;
  readonly enter: ((step: Step) => Verdict) | undefined;
  readonly succeed: ((step: Step, value: unknown) => Verdict) | undefined;
  readonly fail: ((step: Step, error: unknown) => Verdict) | undefined;
  readonly due: ((step: Step) => Verdict) | undefined;
  readonly consulted: ((step: Step, answer: Answer) => Verdict) | undefined;
  readonly release: ((ticket: unknown) => void) | undefined;
  /** The list its last limit went into: the next one mostly goes there, too. */
  list: LimitList | null = null;
  /** Which of a call's tickets is this layer's; -1 until it remembers something for the first time. */
  ticket = -1;

  constructor(part: StaticPart) {
    const layer = 'layer' in part ? part.layer : FOREIGN;
    this.layer = layer;
    this.foreign = 'foreign' in part ? part.foreign : undefined;
    this.name = this.foreign?.name ?? layer.name;
    this.classify = 'layer' in part ? part.classify : undefined;
    this.channel = eventChannel(layer.kind);
    // oxlint-disable typescript/unbound-method -- looked up once, because each layer has another shape; the machine calls them on the layer
    this.enter = layer.enter;
    this.succeed = layer.succeed;
    this.fail = layer.fail;
    this.due = layer.due;
    this.consulted = layer.consulted;
    this.release = layer.release;
    // oxlint-enable typescript/unbound-method
  }
}

/** A composition as the engine runs it: a flat list of layers, outermost first. */
export class Plan {
  readonly slots: readonly Slot[];
  /** How many of the layers have remembered something so far. */
  tickets = 0;
  /** The innermost layer that may say `again`, by which attempts are numbered; -1 without one. */
  readonly innermostRetry: number;
  /** How many attempts that layer allows. */
  readonly maxAttempts: number | undefined;
  /**
   * Whether a call has to carry its caller's async context: a coalesced timer fires in a stranger's, and some layer outside a limit may
   * run the caller's code after it (law P3).
   */
  readonly carriesContext: boolean;

  constructor(parts: readonly StaticPart[]) {
    this.slots = parts.map((part) => new Slot(part));
    this.innermostRetry = this.slots.findLastIndex((slot) => slot.layer.maxAttempts !== undefined);
    this.maxAttempts = this.slots[this.innermostRetry]?.layer.maxAttempts;
    const innermostLimit = this.slots.findLastIndex((slot) => slot.layer.expire !== undefined);
    this.carriesContext = this.slots.some(
      (slot, index) =>
        index < innermostLimit && slot.fail !== undefined && (slot.layer.runsCallerCode === true || slot.classify !== undefined),
    );
  }
}
