// `fairlead why`: why an endpoint is in or out, since when, who found out, and what its last answers were. Thread: main.

import type { WhyAnswer } from '../../admin/endpoint-schemas.ts';
import { type AdminAnswer, askAdmin, refusalWords } from './admin-client.ts';
import { AddressError, adminTarget, type AdminOptions } from './admin-target.ts';
import { EXIT } from './exit-codes.ts';
import { plainText, whyText } from './why-text.ts';

export interface WhyOptions extends AdminOptions {
  readonly json?: boolean;
}

/** Prints the explanation and sets the exit code. @param endpoint `upstream/endpoint` @throws UnreachableError */
export async function why(endpoint: string, options: WhyOptions): Promise<void> {
  const slash = endpoint.indexOf('/');
  if (slash < 1 || slash === endpoint.length - 1) {
    return refuse(`"${endpoint}" names no endpoint: write upstream/host:port, such as api/10.0.0.1:3000`);
  }
  const names = [endpoint.slice(0, slash), endpoint.slice(slash + 1)].map(encodeURIComponent);
  try {
    const answer = await askAdmin(adminTarget(options), `/api/v1/endpoints/${names.join('/')}/why`);
    if (answer.status === 200)
      console.log(options.json === true ? JSON.stringify(answer.body, null, 2) : whyText(answer.body as WhyAnswer));
    else if (answer.status === 404) refuse(unknownWords(endpoint, answer));
    else throw new Error(plainText(refusalWords(answer)));
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    refuse(error.message);
  }
}

function refuse(message: string): void {
  console.error(`fairlead: ${message}`);
  process.exitCode = EXIT.usage;
}

/** What there is instead. Another program's 404 names nothing. */
function unknownWords(endpoint: string, { body }: AdminAnswer): string {
  const problem = body as { endpoints?: readonly string[]; endpointCount?: number };
  const names = problem.endpoints ?? [];
  const more = (problem.endpointCount ?? 0) - names.length;
  const list = names.map((name) => `\n  ${plainText(name)}`).join('');
  const rest = more > 0 ? `\n  and ${more} more` : '';
  return `there is no endpoint ${endpoint}; there ${names.length === 1 ? 'is' : 'are'}:${list === '' ? ' none' : list}${rest}`;
}
