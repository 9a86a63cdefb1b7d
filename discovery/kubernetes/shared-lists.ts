// Watched lists that several sources share: one connection to the API server however many upstreams use its objects.
// Thread: main.

import type { Random } from '../../core/random.ts';
import type { Timers } from '../../core/timers.ts';
import type { SourceFiles } from '../source.ts';
import type { AccessSettings } from './access-settings.ts';
import { ApiClient } from './api-client.ts';
import { type ListListener, type Objects, WatchedList } from './watched-list.ts';

export interface ListRequest {
  readonly access: AccessSettings;
  readonly path: string;
  readonly query: string;
}

export interface ListContext {
  readonly timers: Timers;
  readonly random: Random;
  readonly files: Pick<SourceFiles, 'readText'>;
}

/** By access, path and query. An entry lives as long as it has listeners. */
const lists = new Map<string, SharedList>();

/** Watches a list, or joins those who watch it. A listener that joins receives the objects at once if they are known. */
export function watchList(request: ListRequest, context: ListContext, listener: ListListener): () => void {
  const key = JSON.stringify([request.access, request.path, request.query]);
  const shared = lists.get(key) ?? new SharedList(request, context);
  lists.set(key, shared);
  shared.add(listener);
  return () => {
    if (shared.remove(listener)) lists.delete(key);
  };
}

class SharedList {
  readonly #client: ApiClient;
  readonly #list: WatchedList;
  readonly #listeners = new Set<ListListener>();
  #last: { readonly objects: Objects; readonly version: string } | null = null;
  /** Why the objects aren't current; '' where they are. */
  #cause = '';

  constructor({ access, path, query }: ListRequest, context: ListContext) {
    this.#client = new ApiClient(access, context.files);
    const listener: ListListener = {
      onObjects: (objects, version) => {
        this.#last = { objects, version };
        this.#cause = '';
        for (const one of this.#listeners) one.onObjects(objects, version);
      },
      onFailure: (cause) => {
        this.#cause = cause;
        for (const one of this.#listeners) one.onFailure(cause);
      },
    };
    const { timers, random } = context;
    this.#list = new WatchedList({ client: this.#client, path, query, timers, random, listener });
  }

  add(listener: ListListener): void {
    this.#listeners.add(listener);
    if (this.#last !== null) listener.onObjects(this.#last.objects, this.#last.version);
    if (this.#cause !== '') listener.onFailure(this.#cause);
  }

  /** @returns whether it was the last one, and the list has ended */
  remove(listener: ListListener): boolean {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return false;
    this.#list.stop();
    this.#client.close();
    return true;
  }
}
