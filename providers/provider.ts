// The contract of a provider: a program outside Fairlead, such as Kubernetes, that contributes routes, upstreams and
// certificates to the configuration while it runs. Thread: main.

import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { OptionProblem, OptionSchemas, OptionShape, OptionsOf } from '../core/option-schema.ts';
import type { Random } from '../core/random.ts';
import type { Timers } from '../core/timers.ts';
import type { SourceFiles } from '../discovery/source.ts';

/** Settings that one object contributes, in the form of the configuration file. */
export interface ConfigPart {
  /** The object, for operators and messages: `kubernetes ingress shop/web`. Parts with one origin are refused together. */
  readonly origin: string;
  /** Texts of strangers in values with braces must have passed `literalText`. */
  readonly config: {
    readonly routes?: readonly object[];
    readonly upstreams?: Readonly<Record<string, object>>;
  };
}

/** A certificate for listeners with `tls.fromProviders`. */
export interface ProvidedCertificate {
  readonly origin: string;
  /** PEM: the certificate and its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Names of listeners; empty for all. */
  readonly listeners: readonly string[];
}

/** An object that contributes nothing, and why. */
export interface Refusal {
  readonly origin: string;
  /** Continues "... is refused: ". */
  readonly cause: string;
}

/** Everything that a provider contributes at one moment. */
export interface Fragment {
  /** Number or digest, for operators. */
  readonly version: string;
  /** Routes are tried in the order of the parts, after those of the file. */
  readonly parts: readonly ConfigPart[];
  readonly certificates: readonly ProvidedCertificate[];
  /** Objects that the provider itself refuses. */
  readonly refused: readonly Refusal[];
}

/** Receives the results of a provider; after `stop` they have no effect. */
export interface ProviderEvents {
  /** The provider knows everything. Equal fragments are cheap: they confirm the one before. */
  publish(fragment: Fragment): void;
  /** It can't know everything now: the last good fragment is kept. @param cause completes "failed: " */
  fail(cause: string): void;
}

/** Everything that a provider takes from the process. */
export interface ProviderContext {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly files: SourceFiles;
}

/** A listener of the configuration that serves HTTP. */
export interface ServedListener {
  readonly name: string;
  /** 0 for a Unix socket or an inherited one. */
  readonly port: number;
  readonly isTls: boolean;
}

export interface RunningProvider {
  /** Ends connections and timers. */
  stop(): void;
  /**
   * A configuration with the last fragment is in use. A provider may report that to its objects.
   * @param refused objects of this provider that contribute nothing
   */
  applied?(refused: readonly Refusal[]): void;
}

export interface ProviderPlace {
  /** Directory that relative paths refer to; absolute. */
  readonly directory: string;
  readonly listeners: readonly ServedListener[];
  /** Names of the upstreams that the file defines. */
  readonly upstreams: readonly string[];
}

/** The definition of a provider. `Settings` is plain data. Secrets are below a key `secrets`. */
export interface ProviderDefinition<Shape extends OptionShape, Settings extends object> {
  /** The word in the configuration: `providers: { NAME: {...} }`. */
  readonly name: string;
  readonly options: (schemas: OptionSchemas) => Shape;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** The options as an example in YAML. */
  readonly example: string;
  readonly compile: (options: OptionsOf<Shape>, place: ProviderPlace) => Settings;
  /** The program that it follows, for operators: an address, a file. */
  readonly describe: (settings: Settings) => string;
  /** Finds options that contradict each other. Reads nothing. */
  readonly check?: (options: OptionsOf<Shape>) => readonly OptionProblem[];
  /** Starts the provider. Never throws: what goes wrong is an event. */
  readonly start: (settings: Settings, context: ProviderContext, events: ProviderEvents) => RunningProvider;
}

/** A definition whose types are erased: what the table holds. */
export type ProviderDescriptor = ProviderDefinition<OptionShape, object>;

/** Checks a definition's types and erases them. */
export function defineProvider<Shape extends OptionShape, Settings extends object>(
  definition: ProviderDefinition<Shape, Settings>,
): ProviderDescriptor {
  return definition as unknown as ProviderDescriptor;
}

/**
 * A text of an object, for a value that may have values in braces: they are literal. Without it an object could read
 * environment variables of this process.
 */
export function literalText(text: string): string {
  return text.replaceAll(/\{([A-Za-z][\w.-]*)\}/g, '{{$1}}');
}

const LONGEST_NAME = 63;
const DIGEST_CHARACTERS = 8;

/** A name of a route or upstream from the names of an object: unique, and not longer than names may be. */
export function nameOf(...parts: readonly string[]): string {
  const name = parts.join('.').replaceAll(/[^\w.-]/g, '_');
  if (name.length <= LONGEST_NAME) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_CHARACTERS);
  return `${name.slice(0, LONGEST_NAME - DIGEST_CHARACTERS - 1)}-${digest}`;
}
