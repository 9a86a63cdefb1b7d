// Calls of the admin API that a rollout makes. Thread: main.

import type { EndpointAloneReply, WhyAnswer } from '../../../admin/api/endpoint-schemas.ts';
import type { AddedEndpointReply, UpstreamReply } from '../../../admin/api/reply-schemas.ts';
import type { Admin } from '../../../core/availability.ts';
import { type AdminAnswer, type AdminChange, refusalWords } from '../live/admin-client.ts';
import { endpointPath } from '../live/endpoint-path.ts';
import { UsageError } from '../live/run-live-command.ts';

/** Sends a request to the admin API. @throws UnreachableError */
export type Call = (path: string, change?: AdminChange) => Promise<AdminAnswer>;

export class RolloutApi {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** @throws UsageError where there is no such upstream */
  async upstream(name: string): Promise<UpstreamReply> {
    const answer = await this.#call(`/api/v1/upstreams/${encodeURIComponent(name)}`);
    if (answer.status === 404) throw new UsageError(refusalWords(answer));
    return bodyOf(answer) as UpstreamReply;
  }

  /** Null where there is no such endpoint. */
  async endpoint(name: string): Promise<EndpointAloneReply | null> {
    const answer = await this.#call(endpointPath(name));
    return answer.status === 404 ? null : (bodyOf(answer) as EndpointAloneReply);
  }

  async why(name: string): Promise<WhyAnswer | null> {
    const answer = await this.#call(`${endpointPath(name)}/why`);
    return answer.status === 404 ? null : (bodyOf(answer) as WhyAnswer);
  }

  async add(upstream: string, body: object): Promise<AddedEndpointReply> {
    const answer = await this.#call(`/api/v1/upstreams/${encodeURIComponent(upstream)}/endpoints`, { body });
    return bodyOf(answer) as AddedEndpointReply;
  }

  async setState(name: string, admin: Admin): Promise<void> {
    bodyOf(await this.#call(`${endpointPath(name)}/state`, { body: { admin } }));
  }

  /** Removes an endpoint that the admin API has added. */
  async remove(name: string): Promise<void> {
    const answer = await this.#call(endpointPath(name), { method: 'DELETE' });
    if (answer.status !== 404) bodyOf(answer);
  }
}

/** @throws Error where the API refuses */
function bodyOf(answer: AdminAnswer): object {
  if (answer.status !== 200) throw new Error(refusalWords(answer));
  return answer.body;
}
