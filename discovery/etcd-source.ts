// Source `etcd`: a list of endpoints in the keys below a prefix, read again whenever a watch reports a change. Thread: main.

import { type OptionProblem, quoted, type ParsedOption } from '../core/option-schema.ts';
import { isChange, parseRange, parseToken, rangeRequest, refusalIn, watchRequest } from './etcd/etcd-messages.ts';
import { HttpClient, type HttpOutcome } from './http/http-client.ts';
import {
  accessOptions,
  checkAccess,
  compileAccess,
  describeAddress,
  type HttpAddress,
  type HttpTls,
  type HttpToken,
  parseHttpAddress,
  tokenNow,
} from './http/http-settings.ts';
import { type StepOutcome, WatchLoop } from './http/watch-loop.ts';
import { endpointsOfKeys } from './key-list.ts';
import { defineSource, type RunningSource, type SourceContext, type SourceEvents } from './source.ts';

const ETCD_PORT = 2379;
/**
 * A watch ends after this time, and the keys are read again, after authentication: the watch may be dead without a sign, and
 * tokens expire after five minutes.
 */
const LONGEST_WATCH_MS = 240_000;

interface EtcdSettings {
  readonly addresses: readonly HttpAddress[];
  readonly tls: HttpTls;
  readonly prefix: string;
  /** '' without authentication. */
  readonly username: string;
  readonly password: HttpToken;
}

export const etcd = defineSource({
  name: 'etcd',
  summary: 'A list of endpoints in the keys of etcd below a prefix.',
  example: '{ prefix: fairlead/api/ }',
  options: (schemas) => {
    const { oneOrMany, text, filePath } = schemas;
    const { tls } = accessOptions(schemas);
    const server = { expects: 'the URL of an etcd server', example: 'http://127.0.0.1:2379' };
    return {
      address: oneOrMany(text((given) => parseHttpAddress(given, ETCD_PORT), server))
        .prefault('http://127.0.0.1:2379')
        .describe('Servers of the cluster: another one is used where one fails.'),
      prefix: text(parsePrefix, { expects: 'the prefix of keys', example: 'fairlead/api/' }).describe(
        'Keys that begin with it hold URLs, endpoints or lists of endpoints.',
      ),
      username: text(parsePrefix, { expects: 'a user', example: 'fairlead' })
        .describe('User of etcd, where authentication is enabled. Needs `password` or `passwordFile`.')
        .optional(),
      password: text(parsePassword, { expects: 'a password', example: '"${ETCD_PASSWORD}"', isSecret: true })
        .describe('Password of the user. Write it as an environment variable, or use `passwordFile`.')
        .optional(),
      passwordFile: filePath('/run/secrets/etcd')
        .describe('File with the password, read again at each use.')
        .optional(),
      tls,
    };
  },
  check({ address, tls, username, password, passwordFile }): readonly OptionProblem[] {
    const problems = [...checkAccess({ tls }, address)];
    const given = [password, passwordFile].filter((one) => one !== undefined).length;
    if (given !== (username === undefined ? 0 : 1)) {
      const message = '"username" needs either "password" or "passwordFile", and they need it';
      problems.push({
        code: 'FL3008',
        message,
        path: [username === undefined ? (password ? 'password' : 'passwordFile') : 'username'],
      });
    }
    return problems;
  },
  compile({ address, prefix, username = '', password, passwordFile, tls }, { directory }): EtcdSettings {
    const access = compileAccess({ tls, token: password, tokenFile: passwordFile }, directory);
    return { addresses: address, tls: access.tls, prefix, username, password: access.token };
  },
  describe: ({ addresses, prefix }) => `${prefix} at ${addresses.map(describeAddress).join(', ')}`,
  start: (settings, context, events) => new KeyWatch(settings, context, events),
});

class KeyWatch implements RunningSource {
  readonly #settings: EtcdSettings;
  readonly #context: SourceContext;
  readonly #events: SourceEvents;
  readonly #clients: readonly HttpClient[];
  readonly #loop: WatchLoop;
  /** Position of the server in use. */
  #at = 0;
  /** Of this session; '' before authentication. */
  #token = '';

  constructor(settings: EtcdSettings, context: SourceContext, events: SourceEvents) {
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    this.#clients = settings.addresses.map((address) => new HttpClient(address, settings.tls, context));
    this.#loop = new WatchLoop(
      context,
      (signal) => this.#step(signal),
      (cause) => events.fail(cause),
    );
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
    for (const client of this.#clients) client.close();
  }

  /** Reads the keys, and waits for a change of them: every revision since is covered by the watch. */
  async #step(signal: AbortSignal): Promise<StepOutcome> {
    const cause = await this.#follow(signal);
    if (cause === '') return { ok: true };
    this.#at = (this.#at + 1) % this.#clients.length;
    this.#token = '';
    return { ok: false, cause };
  }

  /** @returns the cause where it fails */
  async #follow(signal: AbortSignal): Promise<string> {
    const { prefix, username } = this.#settings;
    if (username !== '' && this.#token === '') {
      const refusal = await this.#authenticate(signal);
      if (refusal !== '') return refusal;
    }
    const reply = await this.#client.send({ ...this.#post('/v3/kv/range', rangeRequest(prefix)), signal });
    if (!reply.ok || reply.status !== 200) return this.#causeOf(reply);
    const range = parseRange(reply.text);
    if (!range.ok) return range.cause;
    if (range.values.length === 0) this.#events.fail(`no key begins with ${prefix}`);
    else {
      const list = endpointsOfKeys(range.values, this.#context.parseList);
      if (list.ok) this.#events.publish({ version: `revision ${range.revision}`, endpoints: list.endpoints });
      else this.#events.fail(list.cause);
    }
    this.#loop.confirm();
    return this.#untilChange(range.revision, signal);
  }

  async #untilChange(revision: string, signal: AbortSignal): Promise<string> {
    const end = new AbortController();
    const timer = this.#context.timers.after(LONGEST_WATCH_MS, () => {
      this.#token = '';
      end.abort();
    });
    const request = this.#post('/v3/watch', watchRequest(this.#settings.prefix, revision));
    const outcome = await this.#client.stream(
      { ...request, timeoutMs: 0, signal: AbortSignal.any([signal, end.signal]) },
      (line) => {
        if (isChange(line)) end.abort();
      },
    );
    timer.cancel();
    if (end.signal.aborted) return '';
    return outcome.ok && outcome.status === 200 ? 'the watch has ended' : this.#causeOf(outcome);
  }

  async #authenticate(signal: AbortSignal): Promise<string> {
    const { username: name, password } = this.#settings;
    const parsed = tokenNow(password, this.#context.files, parsePassword);
    if (!parsed.ok) return parsed.message;
    const body = JSON.stringify({ name, password: parsed.value });
    const reply = await this.#client.send({ method: 'POST', path: '/v3/auth/authenticate', body, signal });
    if (!reply.ok || reply.status !== 200) return `user ${name}: ${this.#causeOf(reply)}`;
    this.#token = parseToken(reply.text);
    return this.#token === '' ? `user ${name}: the reply has no token` : '';
  }

  get #client(): HttpClient {
    return this.#clients[this.#at]!;
  }

  #post(path: string, body: string) {
    const fields: Record<string, string> = this.#token === '' ? {} : { authorization: this.#token };
    return { method: 'POST' as const, path, body, fields };
  }

  #causeOf(outcome: HttpOutcome): string {
    const address = describeAddress(this.#settings.addresses[this.#at]!);
    return `${address}: ${outcome.ok ? `status ${outcome.status}${refusalIn(outcome.text)}` : outcome.cause}`;
  }
}

function parsePrefix(text: string): ParsedOption<string> {
  if (/^[\x21-\x7e]{1,512}$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${quoted(text)} is not allowed: 1 to 512 characters of ASCII without spaces are` };
}

function parsePassword(text: string): ParsedOption<string> {
  if (/^[^\p{Cc}]{1,1024}$/u.test(text)) return { ok: true, value: text };
  return { ok: false, message: 'a password has 1 to 1024 characters without line breaks' };
}
