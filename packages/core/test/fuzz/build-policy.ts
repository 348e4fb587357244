import { keyed } from '../../src/keyed/keyed.ts';
import type { Classify } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import { EnginePolicy } from '../../src/policy/engine-policy.ts';
import type { Choice, KeyedPart, Part, StaticPart } from '../../src/policy/part.ts';
import type { Policy, PolicyDescription } from '../../src/policy/policy.ts';
import type { FuzzClock } from './fuzz-clock.ts';
import { GuardedLayer, type Meddler } from './guarded-layer.ts';
import { type Account, countersIn, makeRealPolicy, type RealHost } from './real-policies.ts';
import type { GroupSpec, HookName, LayerSpec, Meddle } from './stack-plan.ts';
import { makeStranger } from './strangers.ts';
import { type AccountingLayer, isTestLayerSpec, makeTestLayer } from './test-layers.ts';

type AnyPolicy = Policy<unknown, unknown>;

/** What building needs of the fuzz's world. */
export interface BuildHost extends RealHost {
  readonly clock: FuzzClock;
  whileUnwinding(body: () => void): void;
}

/** The hooks that are called when a call has been ended already. */
const ENDING_HOOKS: ReadonlySet<HookName> = new Set<HookName>(['abandon', 'release', 'expire']);

/** Some parts as a policy. */
class PartsPolicy extends EnginePolicy<unknown, unknown> {
  readonly name: string;

  constructor(name: string, parts: readonly Part[]) {
    super(parts);
    this.name = name;
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: 'parts', options: {} };
  }
}

/** Builds the policies of a plan, guards their layers, and collects what has to be empty at the end. */
export class Builder {
  readonly accounts: Account[] = [];
  readonly #host: BuildHost;
  #made = 0;

  constructor(host: BuildHost) {
    this.#host = host;
  }

  build(specs: readonly LayerSpec[]): AnyPolicy {
    this.#host.ledger.isComplete = specs.every(isGuarded);
    return this.#composition(specs);
  }

  #composition(specs: readonly LayerSpec[]): AnyPolicy {
    return compose(...specs.map((spec) => this.#policy(spec)));
  }

  #policy(spec: LayerSpec): AnyPolicy {
    const name = `${spec.kind}#${++this.#made}`;
    const policy = this.#bare(spec, name);
    if (!spec.guard || spec.kind === 'compose' || !(policy instanceof EnginePolicy)) return policy;
    return new PartsPolicy(
      name,
      EnginePolicy.partsOf(policy).map((part) => this.#guarded(part, spec.meddle, mostOpen(spec))),
    );
  }

  #bare(spec: LayerSpec, name: string): AnyPolicy {
    if (isTestLayerSpec(spec)) return this.#testLayer(makeTestLayer(spec, name, this.#host));
    if (spec.kind === 'stranger') return makeStranger(spec, name, this.#host.clock, this.#host.ledger);
    if (spec.kind === 'compose') return this.#group(spec, name);
    if (spec.kind === 'keyed') return this.#keyed(spec.inner, name);
    return makeRealPolicy(spec, name, this.#host, this.accounts);
  }

  #testLayer(layer: AccountingLayer): AnyPolicy {
    this.accounts.push({ name: layer.name, leftOver: () => layer.leftOver });
    return new PartsPolicy(layer.name, [{ layer, classify: undefined }]);
  }

  #group(spec: GroupSpec, name: string): AnyPolicy {
    const inner = spec.inner.map((each) => this.#policy(each));
    return spec.classify === 'default' ? compose(...inner) : compose(...inner, { name, classify: classifiers[spec.classify] });
  }

  #keyed(inner: readonly LayerSpec[], name: string): AnyPolicy {
    const policy = keyed('key', () => this.#composition(inner), { name, maxKeys: 2 });
    this.accounts.push({ name, leftOver: () => countersIn(policy.statistics()) });
    return policy;
  }

  #guarded(part: Part, meddle: Meddle | undefined, maxOpen?: number): Part {
    if ('foreign' in part) return part;
    if ('choose' in part) return this.#guardedChoices(part, meddle);
    const { ledger } = this.#host;
    return { layer: new GuardedLayer(part.layer, ledger, this.#meddler(meddle), maxOpen), classify: part.classify };
  }

  /** The same choice has to stay the same choice, since plans are found by it. */
  #guardedChoices(part: KeyedPart, meddle: Meddle | undefined): KeyedPart {
    const guarded = new WeakMap<Choice, Choice>();
    return {
      classify: part.classify,
      choose: (options) => {
        const choice = part.choose(options);
        let own = guarded.get(choice);
        if (own === undefined) {
          const parts = choice.parts.map((each) => this.#guarded(each, meddle) as StaticPart);
          own = { parts, presence: new GuardedLayer(choice.presence, this.#host.ledger, undefined) };
          guarded.set(choice, own);
        }
        return own;
      },
    };
  }

  #meddler(meddle: Meddle | undefined): Meddler | undefined {
    if (meddle === undefined) return undefined;
    let seen = 0;
    return (hook, when) => {
      if (meddle.hook !== hook || meddle.when !== when) return;
      if (++seen !== meddle.nth) return;
      if (ENDING_HOOKS.has(hook)) this.#host.whileUnwinding(() => this.#host.act(meddle.action));
      else this.#host.act(meddle.action);
    };
  }
}

/** In how many entries of a layer work may go on at once. */
function mostOpen(spec: LayerSpec): number | undefined {
  if (spec.kind === 'bulkhead') return Math.max(spec.max, spec.change?.max ?? 0);
  return 'max' in spec ? spec.max : undefined;
}

const isGuarded = (spec: LayerSpec): boolean => ('inner' in spec ? spec.inner.every(isGuarded) && spec.kind === 'compose' : spec.guard);

const classifiers: Readonly<Record<'own' | 'throwing', Classify>> = {
  own: (settled) => (settled.ok ? { kind: 'ok', origin: 'remote' } : { kind: 'transient', origin: 'remote' }),
  throwing: () => {
    throw new RangeError('the classifier threw');
  },
};
