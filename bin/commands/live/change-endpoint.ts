// `fairlead drain|ready|maintain|weight`: changes an endpoint's state or weight at run time. Thread: main.

import type { EndpointReply } from '../../../admin/api/endpoint-schemas.ts';
import type { Admin } from '../../../core/availability.ts';
import { callAdmin } from './admin-client.ts';
import { Progress } from '../progress.ts';
import { type AdminOptions, adminTarget } from './admin-target.ts';
import { attempt, UsageError } from './run-live-command.ts';
import { endpointError, endpointPath } from './endpoint-path.ts';

export interface ChangeOptions extends AdminOptions {
  readonly json?: boolean;
  /** Route whose split has the upstream that is named in place of an endpoint. */
  readonly route?: string;
  /** Waits until nothing is in flight at the endpoint. */
  readonly wait?: boolean;
}

/** Polling interval of the in-flight count, in ms. */
const LOOK_MS = 250;

const DONE: Readonly<Record<Admin, string>> = {
  ready: 'gets requests again as its health allows',
  drain: 'gets no new requests, except from sticky clients',
  maintenance: 'gets no requests and no heartbeats',
};

/** Changes the state, prints the result and sets the exit code. */
export function setState(endpoint: string, admin: Admin, options: ChangeOptions): Promise<void> {
  return attempt(async () => {
    const now = await change(endpoint, 'state', { admin }, options);
    if (options.json !== true) console.log(changeText(endpoint, admin, now));
    if (options.wait === true) await waitUntilIdle(endpoint, now.inFlight, options);
  });
}

/** The effect of a new state, for a person. */
export function changeText(endpoint: string, admin: Admin, now: EndpointReply): string {
  const state = admin === 'ready' ? `, now ${now.availability}` : '';
  return `${endpoint} ${DONE[admin]}; ${now.inFlight} in flight${state}`;
}

/** @param text 1 to 256, or `configured` for the weight in the file */
export function setWeight(endpoint: string, text: string, options: ChangeOptions): Promise<void> {
  return attempt(async () => {
    const weight = text === 'configured' ? null : Number(text);
    if (weight !== null && (!/^\d+$/.test(text) || weight < 1 || weight > 256)) {
      const advice =
        weight === 0 ? `to stop requests: fairlead drain ${endpoint}` : 'configured restores that of the file';
      throw new UsageError(`"${text}" is not a weight from 1 to 256; ${advice}`);
    }
    const now = await change(endpoint, 'weight', { weight }, options);
    if (options.json !== true)
      console.log(`${endpoint} has weight ${now.weight} now (configured: ${now.configuredWeight})`);
  });
}

async function change(endpoint: string, what: 'state' | 'weight', body: object, options: ChangeOptions) {
  const answer = await callAdmin(adminTarget(options), `${endpointPath(endpoint)}/${what}`, { body });
  if (answer.status !== 200) throw endpointError(endpoint, answer);
  if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
  return answer.body as EndpointReply;
}

async function waitUntilIdle(endpoint: string, before: number, options: ChangeOptions): Promise<void> {
  const progress = new Progress();
  const startMs = performance.now();
  try {
    for (let inFlight = before; inFlight > 0; ) {
      progress.show(`${endpoint}: ${inFlight} in flight, ${Math.round((performance.now() - startMs) / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const answer = await callAdmin(adminTarget(options), endpointPath(endpoint));
      if (answer.status !== 200) throw endpointError(endpoint, answer);
      ({ inFlight } = answer.body as EndpointReply);
    }
  } finally {
    progress.end();
  }
  if (options.json !== true) console.log(`${endpoint} has nothing in flight`);
}
