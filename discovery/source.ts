// The contract of a discovery source: its name, its options, and how it runs. Thread: main.

import type { Clock } from '../core/clock.ts';
import type { OptionProblem, OptionSchemas, OptionShape, OptionsOf } from '../core/option-schema.ts';
import type { Random } from '../core/random.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { Timers } from '../core/timers.ts';
import { formatHostPort } from '../net/host-port.ts';

/** An endpoint as a source yields it. */
export interface DiscoveredEndpoint {
  readonly protocol: EndpointSnapshot['protocol'];
  /** Host name in lower case, or IP address; IPv6 without brackets. 'localhost' for a Unix socket. */
  readonly host: string;
  /** 1..65535; 0 for a Unix socket. */
  readonly port: number;
  /** Path of a Unix socket; '' for TCP. */
  readonly socketPath: string;
  /** 1..256. */
  readonly weight: number;
  readonly backup: boolean;
  /** Availability zone or another name of a place; '' where the source knows none. */
  readonly zone: string;
  /** Further labels, shown by the admin API. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Every endpoint that a source knows of at one moment. */
export interface EndpointSet {
  /** Number or digest that the source gives the set, for operators. */
  readonly version: string;
  readonly endpoints: readonly DiscoveredEndpoint[];
  /**
   * For sources that read several places: why the endpoints of one of them are its last known ones. The set is followed,
   * and the source is `stale`.
   */
  readonly outdated?: string;
}

/**
 * Receives the results of a source. Both may be called before `start` returns, as often as the source likes; after `stop`
 * they have no effect.
 */
export interface SourceEvents {
  /** The source knows the complete set. Equal sets are cheap: they only confirm the one before. */
  publish(set: EndpointSet): void;
  /**
   * The source can't know the set now. The last good one is kept.
   * @param cause completes "source dns failed:", as in `the server answers SERVFAIL`
   */
  fail(cause: string): void;
}

/** A list of endpoints as text, or the sentence that names what is wrong in it, with line and column. */
export type ListOutcome =
  | { readonly ok: true; readonly endpoints: readonly DiscoveredEndpoint[] }
  | { readonly ok: false; readonly cause: string };

/** Files, for sources that read some. */
export interface SourceFiles {
  /**
   * Calls `onChange` whenever the content of a file has changed: written in place, renamed over, or reached by another
   * symbolic link. A missing file is no change. @returns the function that ends it
   */
  watch(file: string, onChange: () => void): () => void;
  /** Text of a regular file of at most 4 MiB. @throws Error whose message continues "the file NAME " */
  readText(file: string): string;
}

/** Everything that a source takes from the process. A source does no I/O but through this or its own connections. */
export interface SourceContext {
  readonly upstream: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly files: SourceFiles;
  /**
   * Reads a list of endpoints in YAML or JSON, as the source `file` documents it. Bounded for any input.
   * @param name of the text in messages
   */
  readonly parseList: (text: string, name: string) => ListOutcome;
}

/** A source that runs. */
export interface RunningSource {
  /** Ends connections and timers. */
  stop(): void;
}

/** Place of a source, for `compile` and `check`. */
export interface SourcePlace {
  readonly upstream: string;
  /** Directory that relative paths refer to; absolute. */
  readonly directory: string;
  /** `tls.serverName` of the upstream; '' where it has none. Endpoints by address need one for https. */
  readonly serverName: string;
}

/** A name in the options of a source. */
export interface SourceName {
  /** The option that has it. */
  readonly option: string;
  readonly name: string;
  /** Resolves it as the source does. Yields '', or the cause of the failure. Never rejects. */
  readonly resolve: () => Promise<string>;
}

/** The definition of a source. `Settings` is plain data: structured clone must accept it. Secrets are below a key `secrets`. */
export interface SourceDefinition<Shape extends OptionShape, Settings extends object> {
  /** The word in the configuration: `discover: { NAME: {...} }`. */
  readonly name: string;
  readonly options: (schemas: OptionSchemas) => Shape;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** The options as an example in YAML, for messages: `{ path: endpoints.yaml }`. */
  readonly example: string;
  /** Names the subject of the source for operators, in a few words: a path, a DNS name, an address. No secrets. */
  readonly describe: (settings: Settings) => string;
  /** Turns validated options into settings. A source restarts when they have changed. */
  readonly compile: (options: OptionsOf<Shape>, place: SourcePlace) => Settings;
  /** Finds options that contradict each other. Reads nothing and resolves nothing. */
  readonly check?: (options: OptionsOf<Shape>, place: SourcePlace) => readonly OptionProblem[];
  /** Names that the source resolves, for `check --strict-dns`; left out where it resolves none. */
  readonly names?: (settings: Settings, timers: Timers) => readonly SourceName[];
  /** Why an endpoint is no longer one, for operators; `no longer in its set` if left out. */
  readonly absence?: string;
  /** Starts the source. Never throws: what goes wrong is an event. */
  readonly start: (settings: Settings, context: SourceContext, events: SourceEvents) => RunningSource;
}

/** A definition whose types are erased: what the table holds. */
export type SourceDescriptor = SourceDefinition<OptionShape, object>;

/** Checks a definition's types and erases them. */
export function defineSource<Shape extends OptionShape, Settings extends object>(
  definition: SourceDefinition<Shape, Settings>,
): SourceDescriptor {
  return definition as unknown as SourceDescriptor;
}

/** Identity of an endpoint within its upstream: `host:port`, or its socket path. */
export function idOf({ host, port, socketPath }: Pick<DiscoveredEndpoint, 'host' | 'port' | 'socketPath'>): string {
  return socketPath === '' ? formatHostPort(host, port) : socketPath;
}

type Settings = Pick<DiscoveredEndpoint, 'protocol' | 'weight' | 'backup' | 'zone' | 'metadata'>;

/** Whether two endpoints of one address have equal settings. */
export function areSettingsEqual(before: Settings, after: Settings): boolean {
  return (
    before.protocol === after.protocol &&
    before.weight === after.weight &&
    before.backup === after.backup &&
    before.zone === after.zone &&
    areLabelsEqual(before.metadata, after.metadata)
  );
}

function areLabelsEqual(before: Settings['metadata'], after: Settings['metadata']): boolean {
  const names = Object.keys(before);
  return names.length === Object.keys(after).length && names.every((name) => before[name] === after[name]);
}
