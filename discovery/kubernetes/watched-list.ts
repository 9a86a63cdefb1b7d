// All objects of one kind, kept current: listed once, then watched (docs/kubernetes.md). A watch that ends is continued
// from its last resource version, and everything is listed again where the server no longer has that one. Thread: main.

import type { Random } from '../../core/random.ts';
import type { Timers } from '../../core/timers.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { type ApiObject, isObject, keyOf, listAt, textAt } from './api-object.ts';
import { JsonLines } from './json-lines.ts';

/** Objects of a page. */
const PAGE = 500;
const MOST_OBJECTS = 50_000;
/** The server ends a watch after this, jittered, so that watches are spread over its replicas. */
const WATCH_SECONDS = { least: 300, more: 300 };
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** Least time between two watches: a server or proxy that ends each of them at once is not called in a loop. */
const BETWEEN_WATCHES_MS = 200;
const JITTER = 0.1;

export type Objects = ReadonlyMap<string, ApiObject>;

export interface ListListener {
  /** All objects by key, after each change and confirmation. The map goes on changing. */
  onObjects(objects: Objects, version: string): void;
  /** They can't be kept current now. @param cause completes "failed:" */
  onFailure(cause: string): void;
}

export interface WatchedListParts {
  readonly client: Pick<ApiClient, 'read' | 'stream'>;
  /** Path of the collection: `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices`. */
  readonly path: string;
  /** Selectors as a query: `labelSelector=...`; '' for none. */
  readonly query: string;
  readonly timers: Timers;
  readonly random: Random;
  readonly listener: ListListener;
}

export class WatchedList {
  readonly #parts: WatchedListParts;
  readonly #end = new AbortController();
  #objects = new Map<string, ApiObject>();
  /** Of the newest list or event; null where everything must be listed. */
  #version: string | null = null;
  #failures = 0;
  /** Whether everything was listed because a version had expired, and no watch has worked since. */
  #wasExpired = false;
  /** Ends the pause. */
  #wake: (() => void) | null = null;

  constructor(parts: WatchedListParts) {
    this.#parts = parts;
    void this.#run();
  }

  stop(): void {
    this.#end.abort();
    this.#wake?.();
  }

  get #isStopped(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if (this.#version === null) await this.#list();
        await this.#watch();
        this.#confirm();
        await this.#pause(BETWEEN_WATCHES_MS);
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isStopped) return;
    const isExpired = error instanceof ApiError && error.isExpired;
    // An expired version is normal once; a server that has only expired ones is a failure.
    const isNormal = isExpired && !this.#wasExpired;
    if (isExpired) this.#version = null;
    this.#wasExpired = isExpired;
    if (isNormal) return;
    this.#failures++;
    this.#parts.listener.onFailure((error as Error).message);
    await this.#pause(Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), LONGEST_BACKOFF_MS));
  }

  async #list(): Promise<void> {
    const objects = new Map<string, ApiObject>();
    let token = '';
    let version = '';
    do {
      const page = await this.#parts.client.read(this.#target({ limit: PAGE, continue: token }), this.#end.signal);
      for (const item of listAt(page, 'items')) if (isObject(item)) objects.set(keyOf(item), item);
      if (objects.size > MOST_OBJECTS) throw new Error(`there are more than ${MOST_OBJECTS} objects`);
      version = textAt(page, 'metadata', 'resourceVersion');
      token = textAt(page, 'metadata', 'continue');
    } while (token !== '' && !this.#isStopped);
    if (version === '') throw new Error('the API server sends a list without a resource version');
    this.#objects = objects;
    this.#version = version;
  }

  /** Resolves when the server ends the watch. */
  async #watch(): Promise<void> {
    const { client, random } = this.#parts;
    const seconds = Math.round(WATCH_SECONDS.least + WATCH_SECONDS.more * random.next());
    const query = { watch: 1, allowWatchBookmarks: 'true', resourceVersion: this.#version!, timeoutSeconds: seconds };
    const stream = await client.stream(this.#target(query), this.#end.signal);
    const lines = new JsonLines();
    // The objects are confirmed: the server continues from the version that is known.
    this.#publish();
    try {
      for await (const chunk of stream) {
        const events = lines.push(chunk);
        for (const event of events) this.#take(event);
        if (events.length > 0) this.#publish();
      }
    } catch (error) {
      if (error instanceof ApiError || this.#isStopped) throw error;
      // A broken connection is continued like one that has ended; whether the server can be reached shows then.
      if (!isBrokenConnection(error)) throw error;
    }
  }

  #take(event: unknown): void {
    const object = isObject(event) ? event['object'] : undefined;
    const type = textAt(event, 'type');
    if (type === 'ERROR') throw ApiError.ofStatus(500, object);
    if (!isObject(object)) throw new Error('the API server sends an event without an object');
    if (type === 'DELETED') this.#objects.delete(keyOf(object));
    else if (type === 'ADDED' || type === 'MODIFIED') this.#objects.set(keyOf(object), object);
    const version = textAt(object, 'metadata', 'resourceVersion');
    if (version !== '') this.#version = version;
    this.#confirm();
  }

  /** A watch works. */
  #confirm(): void {
    this.#failures = 0;
    this.#wasExpired = false;
  }

  #publish(): void {
    if (!this.#isStopped) this.#parts.listener.onObjects(this.#objects, this.#version ?? '');
  }

  #target(query: Readonly<Record<string, string | number>>): string {
    const given = Object.entries(query).filter(([, value]) => value !== '');
    const parameters = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
    const selectors = this.#parts.query === '' ? '' : `&${this.#parts.query}`;
    return `${this.#parts.path}?${parameters.toString()}${selectors}`;
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#isStopped) return;
    const { timers, random } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = timers.after(delayMs * (1 - JITTER * random.next()), resolve);
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    timer.cancel();
  }
}

function isBrokenConnection(error: unknown): boolean {
  const { code = '' } = error as Error & { readonly code?: string };
  return code.startsWith('UND_ERR') || code === 'ECONNRESET' || code === 'EPIPE';
}
