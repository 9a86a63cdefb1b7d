// `fairlead explain`: destination of a request and the reasons, by the running Fairlead or by a file. Thread: main.

import { ExplainError, type ExplainQuery, type ExplainReply } from '../../../admin/api/explain-schemas.ts';
import { systemRandom } from '../../../core/random.ts';
import { explainFile } from '../../../control/explain/explanation.ts';
import { callAdmin, refusalWords } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import type { SessionReply } from '../../../admin/api/explain-session-schemas.ts';
import { explainSessionText } from './explain-session-text.ts';
import { explainText } from './explain-text.ts';
import { loadOrTell } from '../config/problems.ts';
import type { WhyAnswer } from '../../../admin/api/endpoint-schemas.ts';
import { endpointError, endpointPath } from '../live/endpoint-path.ts';
import { whyText } from './why-text.ts';

export interface ExplainOptions extends AdminOptions {
  readonly method: string;
  readonly header: readonly string[];
  readonly client: string;
  readonly listener?: string;
  readonly alpn: readonly string[];
  /** Configuration file to use instead of the running Fairlead. */
  readonly config?: string;
  readonly json?: boolean;
}

/** Prints the explanation and sets the exit code. */
export function explainRequest(url: string, options: ExplainOptions): Promise<void> {
  return attempt(async () => {
    const { method, header, client, listener = null, alpn, config } = options;
    const query = { url: withScheme(url), method, headers: header, client, listener, alpn };
    const reply = config === undefined ? await askLive(query, options) : askFile(query, config);
    if (reply === null) return;
    console.log(options.json === true ? JSON.stringify(reply, null, 2) : textOf(reply));
  });
}

function textOf(reply: ExplainReply | SessionReply): string {
  return 'session' in reply ? explainSessionText(reply) : explainText(reply);
}

/** Adds http:// as curl does. A path alone names no host, and routes may depend on it. */
function withScheme(url: string): string {
  if (url.startsWith('/')) {
    throw new UsageError(`"${url}" is a path: add scheme and host, for example http://localhost${url}`);
  }
  return /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `http://${url}`;
}

async function askLive(query: ExplainQuery, options: AdminOptions): Promise<ExplainReply | SessionReply> {
  const { url, method, headers, client, listener, alpn = [] } = query;
  const parameters = new URLSearchParams({ url, method, client, ...(listener === null ? {} : { listener }) });
  for (const header of headers) parameters.append('header', header);
  for (const protocol of alpn) parameters.append('alpn', protocol);
  const answer = await callAdmin(adminTarget(options), `/api/v1/explain?${parameters.toString()}`);
  if (answer.status === 200) return answer.body as ExplainReply | SessionReply;
  const words = refusalWords(answer);
  throw answer.status === 400 ? new UsageError(words) : new Error(words);
}

/** Returns null for an invalid file, after printing its problems. */
function askFile(query: ExplainQuery, file: string): ExplainReply | SessionReply | null {
  const config = loadOrTell(file);
  if (config === null) return null;
  try {
    return explainFile(query, config, systemRandom);
  } catch (error) {
    throw error instanceof ExplainError ? new UsageError(error.message) : error;
  }
}

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
