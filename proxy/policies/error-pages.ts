// Policies: pages for errors. Those of a listener and of a route take the place of Fairlead's own error replies; a route's
// may also take the place of errors of endpoints (`interceptErrors`). Thread: both.

import { STATUS_CODES } from 'node:http';
import type { FieldList } from '../../core/head.ts';
import type {
  BodySink,
  BodyTransform,
  PendingReply,
  Policy,
  PolicyExchange,
  PolicyReply,
} from '../../core/policy/policy.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';
import { compilePages, type ErrorPages, LivePages, pageOptions, type RenderedPage } from './error-page.ts';

/** Data of the policies in a Snapshot. */
export interface ErrorPagesData {
  readonly errorPages: ErrorPages;
  /** Statuses of endpoints that are replaced. */
  readonly interceptErrors: readonly number[];
}

export const listenerErrorPages = builtIn({
  name: 'listener-error-pages',
  scope: 'listener',
  stage: 'answer',
  options: (schemas) => ({
    errorPages: pageOptions(schemas)
      .describe(
        'Pages by status for error replies of Fairlead on this listener, those of requests without a route included; pages of routes take precedence.',
      )
      .optional(),
  }),
  compile: ({ errorPages }, context): ErrorPagesData | null =>
    errorPages === undefined ? null : { errorPages: compilePages(errorPages, context), interceptErrors: [] },
  create: ({ errorPages }) => ({ onLocalReply: replyWithPage(new LivePages(errorPages)) }),
  explain: ({ errorPages }): string => `has pages for ${Object.keys(errorPages).join(', ')}`,
});

export const errorPages = builtIn({
  name: 'error-pages',
  scope: 'route',
  stage: 'answer',
  needs: ['transform-response-body'],
  options: (schemas) => ({
    errorPages: pageOptions(schemas)
      .describe('Pages by status for error replies of Fairlead on this route.')
      .optional(),
    interceptErrors: schemas.z
      .array(schemas.count(400, 599))
      .meta({ expects: 'a list of statuses such as [502, 503]', example: '[502, 503]' })
      .describe('Statuses of endpoints whose bodies are replaced by the pages.')
      .optional(),
  }),
  compile({ errorPages: pages, interceptErrors = [] }, context): ErrorPagesData | null {
    checkIntercepted(interceptErrors, pages, context);
    if (pages === undefined) return null;
    const key = `error-pages ${JSON.stringify([pages, interceptErrors])}`;
    return context.shared(key, () => ({ errorPages: compilePages(pages, context), interceptErrors }));
  },
  create({ errorPages: pages, interceptErrors }) {
    const live = new LivePages(pages);
    const onLocalReply = replyWithPage(live);
    return interceptErrors.length === 0
      ? { onLocalReply }
      : { onLocalReply, onResponse: intercept(live, interceptErrors) };
  },
  explain({ errorPages: pages, interceptErrors }): string {
    const intercepted = interceptErrors.length === 0 ? '' : `, and replaces ${interceptErrors.join(', ')} of endpoints`;
    return `has pages for ${Object.keys(pages).join(', ')}${intercepted}`;
  },
});

function checkIntercepted(statuses: readonly number[], pages: object | undefined, { report }: CompileContext): void {
  const known = new Set(Object.keys(pages ?? {}));
  for (const [index, status] of statuses.entries()) {
    if (known.has(String(status)) || known.has(status < 500 ? '4xx' : '5xx')) continue;
    const message = `there is no page for ${status}: add it to errorPages`;
    report({ code: 'FL3008', message, path: ['interceptErrors', index] });
  }
}

/** Causes of deliberate answers, which have bodies of their own. */
const DELIBERATE: ReadonlySet<string> = new Set(['configured', 'policy']);

/** Bodies that are pages already: those of a route are not replaced by those of its listener. */
const PAGES = new WeakSet<Uint8Array>();

function replyWithPage(pages: LivePages): NonNullable<Policy['onLocalReply']> {
  return (exchange: PolicyExchange, reply: PendingReply): PolicyReply | undefined => {
    const { status, cause } = reply;
    if (status < 400 || DELIBERATE.has(cause) || PAGES.has(reply.body)) return undefined;
    const page = pages.pageFor(exchange, { status, cause, reason: STATUS_CODES[status] ?? '' });
    if (page === null) return undefined;
    PAGES.add(page.body);
    return { status, fields: fieldsWith(reply.fields, page), body: page.body };
  };
}

function fieldsWith(fields: FieldList, { contentType, isNegotiated }: RenderedPage): FieldList {
  const kept = fields.filter((_, at) => fields[at - (at % 2)]!.toLowerCase() !== 'content-type');
  return [...kept, 'Content-Type', contentType, ...(isNegotiated ? ['Vary', 'Accept'] : [])];
}

/** Fields that describe the body of the endpoint. */
const OF_BODY = [
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Disposition',
  'Content-MD5',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'ETag',
  'Last-Modified',
  'Accept-Ranges',
] as const;

function intercept(pages: LivePages, statuses: readonly number[]): NonNullable<Policy['onResponse']> {
  return (exchange): undefined => {
    const { status, reason } = exchange.response!;
    // A client of gRPC reads its status from fields and trailers alone.
    if (!statuses.includes(status) || exchange.responseField('content-type')?.startsWith('application/grpc')) return;
    const facts = { status, cause: 'endpoint', reason: STATUS_CODES[status] ?? reason };
    const page = pages.pageFor(exchange, facts);
    if (page === null || !exchange.transformBody((sink) => new BodyReplacement(sink, page.body))) return;
    for (const name of OF_BODY) exchange.removeResponseField(name);
    exchange.setResponseField('Content-Type', page.contentType);
    if (page.isNegotiated) exchange.addResponseField('Vary', 'Accept');
  };
}

/** Drops the body of the endpoint, so that its connection can be used again, and sends a page instead. */
class BodyReplacement implements BodyTransform {
  readonly #sink: BodySink;
  readonly #body: Uint8Array;

  constructor(sink: BodySink, body: Uint8Array) {
    this.#sink = sink;
    this.#body = body;
  }

  write(): boolean {
    return true;
  }

  end(): void {
    if (this.#body.byteLength > 0) this.#sink.data(this.#body);
    this.#sink.end();
  }

  resume(): void {
    // Everything is written at once.
  }

  cancel(): void {
    // Nothing is held.
  }
}
