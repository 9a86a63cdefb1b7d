// A blocking query to Consul, repeated: each returns when the data have changed, or after its wait. Follows the rules of the
// API for indexes, and reads again from the leader what a server that has lost touch answers. Thread: main.

import { type HttpClient, type HttpFields, type HttpOutcome } from '../http/http-client.ts';
import { type HttpToken, tokenNow } from '../http/http-settings.ts';
import { type StepOutcome, WatchLoop } from '../http/watch-loop.ts';
import type { SourceContext } from '../source.ts';

/** The server adds up to a sixteenth to the wait, so that queries don't end together. */
const WAIT_SHARE = 16;
/** Time for the network and the server, beyond the wait. */
const REPLY_MS = 10_000;
/** Answers of a server whose last contact with the leader is older aren't used. */
const MOST_STALE_MS = 10_000;
/** Of the text of a refusal, in causes. */
const MOST_REFUSAL = 120;

export type Consistency = 'stale' | 'default' | 'consistent';

export interface ConsulQuerySettings {
  readonly path: string;
  /** Encoded parameters of the query. */
  readonly parameters: readonly string[];
  readonly consistency: Consistency;
  readonly waitMs: number;
  readonly token: HttpToken;
}

/** A reply with status 200, or 404 where the path allows for it. */
export interface ConsulReply {
  readonly status: number;
  readonly text: string;
  readonly index: number;
}

export interface ConsulQueryEvents {
  /** @returns the cause where the reply is of no use */
  readonly onReply: (reply: ConsulReply) => string;
  readonly onFailure: (cause: string) => void;
}

export class ConsulQuery {
  readonly #client: HttpClient;
  readonly #settings: ConsulQuerySettings;
  readonly #files: SourceContext['files'];
  readonly #onReply: ConsulQueryEvents['onReply'];
  readonly #loop: WatchLoop;
  /** Of the last reply; 0 asks for one at once. */
  #index = 0;

  constructor(client: HttpClient, settings: ConsulQuerySettings, context: SourceContext, events: ConsulQueryEvents) {
    this.#client = client;
    this.#settings = settings;
    this.#files = context.files;
    this.#onReply = events.onReply;
    this.#loop = new WatchLoop(context, (signal) => this.#step(signal), events.onFailure);
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
  }

  async #step(signal: AbortSignal): Promise<StepOutcome> {
    const { consistency } = this.#settings;
    let reply = await this.#send(this.#index, consistency, signal);
    if (reply.ok && consistency === 'stale' && isOutOfTouch(reply.fields)) {
      reply = await this.#send(0, 'default', signal);
    }
    const cause = reply.ok ? this.#take(reply) : reply.cause;
    if (cause === '') return { ok: true };
    // A restarted server may have a lower index, and would wait for this one to come.
    this.#index = 0;
    return { ok: false, cause };
  }

  #take({ status, text, fields }: HttpOutcome & { readonly ok: true }): string {
    if (status === 403) return 'permission denied (403): the token needs to read services, nodes and keys';
    if (status !== 200 && status !== 404) return `status ${status}${refusalIn(text)}`;
    const index = nextIndex(this.#index, fields);
    const cause = this.#onReply({ status, text, index });
    if (cause === '') this.#index = index;
    return cause;
  }

  #send(index: number, consistency: Consistency, signal: AbortSignal): Promise<HttpOutcome> {
    const { path, parameters, waitMs, token } = this.#settings;
    const parsed = tokenNow(token, this.#files);
    if (!parsed.ok) return Promise.resolve({ ok: false, cause: parsed.message });
    const blocking = index === 0 ? [] : [`index=${index}`, `wait=${waitMs}ms`];
    const mode = consistency === 'default' ? [] : [consistency];
    return this.#client.send({
      path: `${path}?${[...parameters, ...mode, ...blocking].join('&')}`,
      ...(parsed.value !== '' && { fields: { 'x-consul-token': parsed.value } }),
      timeoutMs: REPLY_MS + (index === 0 ? 0 : waitMs + waitMs / WAIT_SHARE),
      signal,
    });
  }
}

/** The index for the next query: reset when it goes backwards, at least 1 (a query with 0 wouldn't wait). */
export function nextIndex(before: number, fields: HttpFields): number {
  const text = fields['x-consul-index'];
  const index = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (index < before) return 0;
  return Math.max(1, index);
}

function isOutOfTouch(fields: HttpFields): boolean {
  return fields['x-consul-knownleader'] === 'false' || Number(fields['x-consul-lastcontact'] ?? 0) > MOST_STALE_MS;
}

/** Printable characters only: the text goes into logs. */
function refusalIn(text: string): string {
  const words = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return words === '' ? '' : `: ${words.slice(0, MOST_REFUSAL)}`;
}
