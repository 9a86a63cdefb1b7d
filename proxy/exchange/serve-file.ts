// Answers an exchange with a file of its route: the head passes the policies as an endpoint's does, the body follows at the
// pace of the client. Thread: worker.

import type { FieldList, ResponseHead } from '../../core/head.ts';
import type { FilesSnapshot } from '../../core/snapshot/route.ts';
import { answerWith, type FileAnswer } from '../files/file-answer.ts';
import { FileBody } from '../files/file-body.ts';
import type { FoundFile } from '../files/file-finder.ts';
import { directoryTarget } from '../files/file-path.ts';
import type { FileRefusal } from '../files/open-file.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { reasonOf } from './local-reply.ts';
import { beginResponse, endTransforms, passResponseChunk, passResponseTail } from './policy-bodies.ts';
import { cutExchange, relayHead, replyLocally, replyToDirectory, sendBytes } from './respond.ts';

export function serveFile(context: ForwardingContext, exchange: Exchange, files: FilesSnapshot): void {
  const { head, policies } = exchange;
  if (head.method !== 'GET' && head.method !== 'HEAD') return replyLocally(context, exchange, 'method-not-allowed');
  const finder = context.files.finderOf(files);
  void finder.find(policies.target ?? head.target, head.field('accept-encoding')).then((found) => {
    context.afterThisTurn(() => answerFound(context, exchange, files, found));
  });
}

const CAUSES = {
  missing: 'file-missing',
  forbidden: 'file-forbidden',
  busy: 'files-busy',
  failed: 'file-failed',
} as const;

function answerFound(
  context: ForwardingContext,
  exchange: Exchange,
  files: FilesSnapshot,
  found: FoundFile | FileRefusal,
): void {
  // The client, or a reload, may have ended the exchange meanwhile.
  if (exchange.state !== STATE.routing) {
    if (typeof found !== 'string') found.file.close();
  } else if (found === 'directory') replyToDirectory(context, exchange, directoryTarget(exchange.head.target));
  else if (typeof found === 'string') replyLocally(context, exchange, CAUSES[found]);
  else sendFile(context, exchange, found, files);
}

function sendFile(context: ForwardingContext, exchange: Exchange, found: FoundFile, files: FilesSnapshot): void {
  const { file, name, coding } = found;
  const { sizeBytes, modifiedMs, version } = file;
  const answer = answerWith({ name, coding, sizeBytes, modifiedMs, version }, exchange.head, files);
  const isBodySent = exchange.head.method === 'GET' && answer.length > 0;
  const body = new FileBody(file, answer.start, isBodySent ? answer.length : 0, (run) => context.afterThisTurn(run));
  const head = new FileHead(answer);
  exchange.response.source = body;
  let hasBegun = false;
  const begin = (): boolean => {
    if (!hasBegun) {
      hasBegun = true;
      if (exchange.isDone || !beginFile(context, exchange, head)) return false;
    }
    return true;
  };
  body.start({
    // The head leaves with the first bytes, in one write.
    data: (chunk) => !begin() || passOn(context, exchange, chunk),
    end: () => {
      if (begin()) endFile(context, exchange);
    },
    fail: (error) => failFile(context, exchange, name, error),
  });
}

function beginFile(context: ForwardingContext, exchange: Exchange, head: FileHead): boolean {
  exchange.response.endBy('localReply');
  if (exchange.policies.plan.response !== null && !beginResponse(context, exchange, null, head)) {
    exchange.response.source?.cancel();
    return false;
  }
  exchange.enter(STATE.relaying);
  relayHead(exchange, head);
  return true;
}

function passOn(context: ForwardingContext, exchange: Exchange, chunk: Uint8Array): boolean {
  if (exchange.policies.plan.responseBody === null) return sendBytes(exchange, chunk);
  return passResponseChunk(context, exchange, chunk);
}

function endFile(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.isDone) return;
  if (exchange.policies.plan.responseBody !== null && !passResponseTail(context, exchange, null)) return;
  exchange.enter(STATE.replied);
  if (exchange.policies.transforms === null) exchange.client.sendEnd(null);
  else endTransforms(exchange, null);
}

function failFile(context: ForwardingContext, exchange: Exchange, name: string, error: Error): void {
  context.log.warn(
    { file: name, route: exchange.routeName, err: error },
    `file ${name} cannot be sent: ${error.message}`,
  );
  if (exchange.state === STATE.routing) return replyLocally(context, exchange, 'file-failed');
  exchange.response.endBy('internal');
  cutExchange(exchange);
}

/** The head of an answer with a file. */
class FileHead implements ResponseHead {
  readonly hasLength: boolean;
  readonly status: number;
  readonly bodyLength: number;
  readonly #fields: FieldList;

  constructor({ status, fields, length }: FileAnswer) {
    this.status = status;
    this.bodyLength = length;
    // A 304 would have to state the length of the 200 that it stands for.
    this.hasLength = status !== 304;
    this.#fields = fields;
  }

  get reason(): string {
    return reasonOf(this.status);
  }

  field(name: string): string | undefined {
    const at = this.#fields.findIndex((field, index) => index % 2 === 0 && field.toLowerCase() === name);
    return at < 0 ? undefined : this.#fields[at + 1];
  }

  endToEndFields(): FieldList {
    return this.#fields;
  }
}
