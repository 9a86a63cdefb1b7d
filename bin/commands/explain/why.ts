// `fairlead why`: explains an endpoint's state: cause, detector, time, and its last heartbeats. Thread: main.

import type { WhyAnswer } from '../../../admin/api/endpoint-schemas.ts';
import { callAdmin } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { attempt } from '../live/run-live-command.ts';
import { endpointError, endpointPath } from '../live/endpoint-path.ts';
import { whyText } from './why-text.ts';

export interface WhyOptions extends AdminOptions {
  readonly json?: boolean;
}

/** Prints the explanation and sets the exit code. @param endpoint `upstream/endpoint` */
export function why(endpoint: string, options: WhyOptions): Promise<void> {
  return attempt(async () => {
    const answer = await callAdmin(adminTarget(options), `${endpointPath(endpoint)}/why`);
    if (answer.status !== 200) throw endpointError(endpoint, answer);
    console.log(options.json === true ? JSON.stringify(answer.body, null, 2) : whyText(answer.body as WhyAnswer));
  });
}
