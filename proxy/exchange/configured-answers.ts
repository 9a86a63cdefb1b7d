// Replies that routes configure: `respond` and `redirect`. Built once per Runtime and action; rendered for each exchange
// where they have values. Thread: both.

import type { LocalReply } from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';
import type { LocalAction } from '../../core/snapshot/route.ts';
import { constantText, templateRenderer } from '../../core/template.ts';
import type { TemplateFacts } from '../../core/template-values.ts';
import { TargetRewriter } from '../policies/target-rewriting.ts';
import { configuredReply } from './local-reply.ts';

/** Builds the reply to a request, with further fields; null where the request names no host, which its target needs. */
type Answer = (facts: TemplateFacts, added: FieldList) => LocalReply | null;

export class ConfiguredAnswers {
  readonly #answers = new Map<LocalAction, Answer>();

  replyOf(action: LocalAction, facts: TemplateFacts, added: FieldList): LocalReply | null {
    let answer = this.#answers.get(action);
    if (answer === undefined) {
      answer = action.kind === 'redirect' ? redirectAnswer(action) : respondAnswer(action);
      this.#answers.set(action, answer);
    }
    return answer(facts, added);
  }
}

const NO_BODY = new Uint8Array(0);
const NO_REWRITE = { stripPrefix: '', addPrefix: '', path: '', query: null };
/** Targets that a browser resolves as they are meant: a value may be empty, or may begin with several slashes. */
const TARGET = /^(?:https?:\/\/[^/?#]|\/)/i;

function redirectAnswer({ status, location, regex }: Extract<LocalAction, { kind: 'redirect' }>): Answer {
  const render = templateRenderer(location);
  const rewriter = regex === undefined ? null : new TargetRewriter({ ...NO_REWRITE, regex });
  return (facts, added) => {
    const shown = rewriter === null ? facts : withPath(facts, rewriter);
    // A path that begins with // is a URL of another host to browsers (open redirect).
    const target = render(shown).replace(/^\/{2,}/, '/');
    return TARGET.test(target) ? configuredReply(status, ['Location', target, ...added], NO_BODY) : null;
  };
}

/** The facts of a request with another path. Facts are often getters: each is read by its name. */
function withPath(facts: TemplateFacts, rewriter: TargetRewriter): TemplateFacts {
  const { connection, request, requestId, clientAddress, routeName, upstreamName, endpoint } = facts;
  const rest = { connection, requestId, clientAddress, routeName, upstreamName, endpoint };
  if (request === null) return { ...rest, request };
  const { method, target, authority, version, bodyLength } = request;
  const head: RequestHead = {
    method,
    target: rewriter.rewrite(target)?.target ?? target,
    authority,
    version,
    bodyLength,
    field: (name) => request.field(name),
    endToEndFields: () => request.endToEndFields(),
  };
  return { ...rest, request: head };
}

function respondAnswer({ status, contentType, body, isBinary }: Extract<LocalAction, { kind: 'respond' }>): Answer {
  // Without content there is no type of it (RFC 9110 sections 8.3 and 15.3.5).
  const fields = status !== 204 && status !== 304 ? ['Content-Type', contentType] : [];
  const constant = constantText(body);
  if (constant !== null) {
    const bytes = Buffer.from(constant, isBinary ? 'latin1' : 'utf8');
    return (_, added) => configuredReply(status, [...fields, ...added], bytes);
  }
  const render = templateRenderer(body);
  return (facts, added) => configuredReply(status, [...fields, ...added], Buffer.from(render(facts)));
}
