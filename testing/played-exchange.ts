// One exchange that a test plays against a policy. Thread: main.

import type { ClientConnection } from '../core/exchange-contract.ts';
import type { ExchangeRecord } from '../core/exchange-record.ts';
import { type FieldList, joinedField, type RequestHead, type ResponseHead } from '../core/head.ts';
import type { CausedReply, PendingReply, PolicyAnswer, PolicyReply } from '../core/policy/policy.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import { CONNECTION } from './client-connection.ts';
import { REPLY_CAUSES } from '../proxy/exchange/local-reply.ts';
import type { PolicyPlan } from '../proxy/policies/policy-plan.ts';
import { FAILED, type PolicyFailure, type PolicyRunner, WAITING } from '../proxy/policies/policy-runner.ts';
import { PolicyView, type ViewedExchange } from '../proxy/policies/policy-view.ts';

/** A request of a client; everything has a default. */
export interface PlayedRequest {
  readonly method?: string;
  readonly target?: string;
  /** Host and port that the client names. */
  readonly authority?: string;
  readonly version?: '1.0' | '1.1' | '2.0';
  /** [name, value, ...] */
  readonly fields?: FieldList;
  readonly connection?: Partial<ClientConnection>;
  readonly clientAddress?: string;
  readonly requestId?: string;
}

/** A message as its receiver would get it. */
export interface PlayedMessage {
  /** Lines in the order in which they would be sent. */
  readonly fields: FieldList;
  /** Value of a field, lines joined; undefined where it is absent. */
  field(name: string): string | undefined;
}

export interface SentRequest extends PlayedMessage {
  readonly target: string;
  readonly upstream: string;
}

export interface SentResponse extends PlayedMessage {
  readonly status: number;
  readonly body: string;
  /** The same body, where it is no text. */
  readonly bytes: Uint8Array;
}

/** A response of the endpoint; everything has a default. */
export interface PlayedResponse {
  readonly status?: number;
  readonly fields?: FieldList;
  readonly body?: string;
}

/** The bench around it. */
export interface PlayedContext {
  readonly plan: PolicyPlan;
  readonly runner: PolicyRunner;
  readonly wallMs: () => number;
  readonly upstreams: readonly string[];
  readonly wait: (view: PolicyView) => Promise<PolicyAnswer | PolicyFailure>;
}

/** As the exchange sends it, without the fields of the cause itself. */
function causedReply({ cause, fields = [] }: CausedReply): PolicyReply {
  return { status: REPLY_CAUSES[cause].status, fields, body: REPLY_CAUSES[cause].message };
}

const FAILURE: PolicyReply = { status: 500, body: 'policy-failed' };

export class PlayedExchange {
  /** The policy's own answer, or the 500 of one that failed; null where the request goes to an endpoint. */
  reply: SentResponse | null = null;
  /** The request as the endpoint would get it; null where it was answered. */
  sent: SentRequest | null = null;
  readonly #context: PlayedContext;
  readonly #view: PolicyView;
  readonly #head: RequestHead;
  #upstream: string;
  #endpoint: EndpointSnapshot | null = null;
  #attempts = 0;

  constructor(request: PlayedRequest, context: PlayedContext) {
    this.#context = context;
    this.#head = requestHeadOf(request);
    this.#upstream = context.upstreams[0] ?? '';
    this.#view = new PolicyView(this.#viewed(request));
    this.#view.begin(context.plan);
  }

  /** Runs `onRequest`, and `onPlaced` where that lets the request pass. Called by the bench. */
  async begin(): Promise<void> {
    let outcome = this.#context.runner.request(this.#view);
    if (outcome === WAITING) outcome = await this.#context.wait(this.#view);
    if (outcome !== undefined) this.reply = this.#replyOf(outcome as NonNullable<PolicyAnswer> | PolicyFailure);
    else this.place();
  }

  /** Places the request at an endpoint: a first time by itself, again for each retry that a test plays. */
  place(endpoint: Partial<EndpointSnapshot> = {}): void {
    this.#attempts++;
    this.#endpoint = { ...ENDPOINT, ...endpoint };
    if (this.#context.runner.placed(this.#view) === FAILED) this.reply = this.#replyOf(FAILED);
    const { inserted, removed } = this.#view.sentEdits;
    const fields = editedFields(this.#head.endToEndFields(), inserted, (name) => removed.names.has(name), true);
    this.sent = { ...messageOf(fields), target: this.#view.target ?? this.#head.target, upstream: this.#upstream };
  }

  /**
   * Plays the endpoint's response, and returns it as the client would get it.
   * @throws Error where a transform does not end within the call: respondLater waits for it
   */
  respond(response: PlayedResponse = {}): SentResponse {
    let sent: SentResponse | null = null;
    this.#respond(response, (whole) => (sent = whole));
    if (sent === null) throw new Error('the body passes a transform that takes its time: use respondLater');
    return sent;
  }

  /** Plays the endpoint's response, and returns it once transforms have passed on all of its body. */
  respondLater(response: PlayedResponse = {}): Promise<SentResponse> {
    return new Promise((resolve) => this.#respond(response, resolve));
  }

  #respond(response: PlayedResponse, done: (sent: SentResponse) => void): void {
    const { status = 200, fields = [], body = '' } = response;
    this.#view.beginResponse(responseHeadOf(status, fields));
    const answer = this.#context.runner.response(this.#view);
    if (answer !== undefined) {
      this.reply = this.#replyOf(answer);
      done(this.reply);
      return;
    }
    const { inserted, removed } = this.#view.responseEdits;
    const edited = editedFields(fields, inserted, (name) => removed.names.has(name), false);
    const whole = (bytes: Uint8Array): void =>
      done({ status, ...messageOf(edited), body: Buffer.from(bytes).toString(), bytes });
    const plain = this.#throughBody(body);
    if (this.#view.transforms === null || this.#head.method === 'HEAD') whole(plain);
    else this.#throughTransforms(plain, whole);
  }

  /** Plays a reply of Fairlead's own, such as a 503 without an endpoint, and returns it as the client would get it. */
  localReply(reply: {
    readonly status: number;
    readonly cause: string;
    readonly fields?: FieldList;
    readonly body?: string | Uint8Array;
  }): SentResponse {
    const { fields = [], body = '' } = reply;
    const pending = { ...reply, fields, body: typeof body === 'string' ? Buffer.from(body) : body };
    return sentOf(this.#context.runner.localReply(this.#view, pending));
  }

  /** Ends the exchange. @param record what the policy reads of it */
  end(record: Partial<ExchangeRecord> = {}): void {
    this.#context.runner.end(this.#view, record as ExchangeRecord);
  }

  #throughBody(body: string): Uint8Array {
    const { runner } = this.#context;
    if (this.#view.plan.responseBody === null) return Buffer.from(body);
    const pieces = [runner.bodyChunk(this.#view, Buffer.from(body), 'response', false)];
    pieces.push(runner.bodyChunk(this.#view, new Uint8Array(0), 'response', true));
    if (pieces.includes(FAILED)) throw new Error('the policy failed in onBodyChunk: the response would be cut');
    return Buffer.concat(pieces as Uint8Array[]);
  }

  #throughTransforms(body: Uint8Array, done: (bytes: Uint8Array) => void): void {
    const chunks: Uint8Array[] = [];
    const failed = (): never => {
      throw new Error('the policy failed in transformBody: the response would be cut');
    };
    const isOpen = this.#context.runner.openTransforms(this.#view, {
      data: (chunk) => chunks.push(chunk) > 0,
      ready: () => undefined,
      end: () => done(Buffer.concat(chunks)),
      fail: failed,
      cut: () => {
        throw new Error('the policy cuts the response');
      },
    });
    if (!isOpen) failed();
    const transforms = this.#view.transforms!;
    if (body.byteLength > 0) transforms.write(body);
    transforms.end();
  }

  #replyOf(answer: NonNullable<PolicyAnswer> | PolicyFailure): SentResponse {
    const reply = answer === FAILED ? FAILURE : 'cause' in answer ? causedReply(answer) : answer;
    const cause = answer === FAILED ? 'policy-failed' : 'cause' in answer ? answer.cause : 'policy';
    const { status, fields = [], body = '' } = reply;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return sentOf(this.#context.runner.localReply(this.#view, { status, cause, fields, body: bytes }));
  }

  #viewed(request: PlayedRequest): ViewedExchange {
    const connection = { ...CONNECTION, ...request.connection };
    const upstreamName = () => this.#upstream;
    const endpoint = () => this.#endpoint;
    const attempts = () => this.#attempts;
    return {
      connection,
      head: this.#head,
      requestId: request.requestId ?? 'test-request',
      clientAddress: request.clientAddress ?? connection.peerAddress,
      routeName: 'test',
      get upstreamName() {
        return upstreamName();
      },
      get endpoint() {
        return endpoint();
      },
      get attempts() {
        return attempts();
      },
      upgrade: null,
      wallMs: this.#context.wallMs,
      chooseUpstream: (name) => {
        if (!this.#context.upstreams.includes(name)) return false;
        this.#upstream = name;
        return true;
      },
      responseTrailers: null,
      preferSlot: () => undefined,
    };
  }
}

const ENDPOINT: EndpointSnapshot = {
  name: 'app/10.0.0.1:3000',
  id: '10.0.0.1:3000',
  slot: 0,
  generation: 1,
  protocol: 'http',
  host: '10.0.0.1',
  port: 3000,
  socketPath: '',
  weight: 1,
  backup: false,
  source: 'config',
  origin: 'configured',
  zone: '',
  metadata: {},
};

function requestHeadOf(request: PlayedRequest): RequestHead {
  const { method = 'GET', target = '/', authority = 'example.com', version = '1.1', fields = [] } = request;
  return { method, target, authority, version, bodyLength: 0, endToEndFields: () => fields, ...messageOf(fields) };
}

function responseHeadOf(status: number, fields: FieldList): ResponseHead {
  const length = messageOf(fields).field('content-length');
  const framing = { bodyLength: length === undefined ? -1 : Number(length), hasLength: length !== undefined };
  return { status, reason: '', ...framing, endToEndFields: () => fields, ...messageOf(fields) };
}

function messageOf(fields: FieldList): PlayedMessage {
  return { fields, field: (name) => joinedField(fields, name.toLowerCase()) };
}

/** @param replaces whether inserted fields take the place of those of the same name */
function editedFields(
  fields: FieldList,
  inserted: FieldList,
  isRemoved: (name: string) => boolean,
  replaces: boolean,
): FieldList {
  const names = new Set(replaces ? inserted.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()) : []);
  const isKept = (name: string) => !isRemoved(name) && !names.has(name);
  return [...fields.filter((_, at) => isKept(fields[at - (at % 2)]!.toLowerCase())), ...inserted];
}

function sentOf({ status, fields, body }: PendingReply): SentResponse {
  return { status, ...messageOf(fields), body: Buffer.from(body).toString(), bytes: body };
}
