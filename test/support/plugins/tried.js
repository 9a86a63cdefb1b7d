// A plugin for tests: policies that try every phase, and that fail where a request's path names it. Thread: both.

const live = { count: 0 };

const fails = (exchange, hook) => {
  if (exchange.request.target === `/fail/${hook}`) throw new Error(`${hook} fails`);
};

const tried = {
  name: 'tried',
  stage: 'shape',
  needs: ['reply', 'wait', 'change-target', 'choose-upstream', 'change-response-body', 'read-request-body'],
  waitMs: 200,
  options: ({ z }) => ({ tag: z.string().default('tag') }),
  compile: ({ tag }) => ({ tag }),
  create({ tag }) {
    live.count++;
    return {
      async onRequest(exchange) {
        fails(exchange, 'onRequest');
        const { target } = exchange.request;
        if (target === '/wait/forever') return new Promise(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (target === '/answer') return { status: 403, fields: ['X-Why', 'no'], body: 'not for you' };
        if (target === '/other') exchange.chooseUpstream('other');
        if (target === '/retarget') exchange.setTarget('/new?x=1');
        exchange.setRequestField('X-Tag', tag);
        exchange.removeRequestField('X-Gone');
        return undefined;
      },
      onPlaced(exchange) {
        fails(exchange, 'onPlaced');
        exchange.addRequestField('X-Placed', exchange.endpoint.id);
      },
      onResponse(exchange) {
        fails(exchange, 'onResponse');
        exchange.setResponseField('X-Answered', String(exchange.response.status));
        exchange.removeResponseField('X-Secret');
        return exchange.request.target === '/replace' ? { status: 410, body: 'gone' } : undefined;
      },
      onLocalReply(exchange, reply) {
        fails(exchange, 'onLocalReply');
        return reply.cause === 'no-endpoint' ? { status: 503, body: `page: ${reply.cause}` } : undefined;
      },
      onBodyChunk(exchange, chunk, direction, isLast) {
        fails(exchange, 'onBodyChunk');
        if (direction === 'request') return undefined;
        return Buffer.from(isLast ? '!' : Buffer.from(chunk).toString().toUpperCase());
      },
      onEnd(exchange) {
        fails(exchange, 'onEnd');
      },
      dispose() {
        live.count--;
      },
    };
  },
};

/** Answers with the number of live instances of `tried` in its worker. */
const census = {
  name: 'census',
  needs: ['reply'],
  options: () => ({}),
  compile: () => ({}),
  create: () => ({ onRequest: () => ({ status: 200, body: String(live.count) }) }),
};

export const policies = [tried, census];
