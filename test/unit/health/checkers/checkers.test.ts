// Table of checkers: a new one is complete with its descriptor alone. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { type LoadResult, loadConfigText } from '../../../../config/load.ts';
import { defineChecker } from '../../../../health/checkers/checker.ts';
import { addChecker, runCheck } from '../../../../health/checkers/checkers.ts';
import { heartbeatWords } from '../../../../health/record/health-words.ts';

/** Passes while the port that it is configured for is even. */
const evenPort = defineChecker({
  name: 'even-port',
  options: ({ count }) => ({ offset: count(0, 9).default(0).describe('Added to the port.') }),
  check: ({ offset }) => (offset === 9 ? [{ code: 'FL3008', message: '9 is one too many', path: ['offset'] }] : []),
  compile: ({ offset }) => ({ offset }),
  run: ({ endpoint, heartbeat }, done) => {
    const isEven = (endpoint.port + heartbeat.offset) % 2 === 0;
    done(isEven ? { kind: 'ok', cause: 'even' } : { kind: 'fail', cause: 'odd' });
    return { phase: () => 'adding', cancel: () => {} };
  },
  describe: ({ offset }) => `even-port heartbeat (+${offset})`,
  covers: () => false,
});

function load(heartbeat: string): LoadResult {
  const text = `listeners: [{ name: web, bind: 127.0.0.1:8080 }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://10.0.0.1:8081], health: { heartbeat: ${heartbeat} } } }
`;
  return loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
}

function messagesOf(result: LoadResult): string[] {
  return result.ok ? [] : result.problems.map(({ code, message }) => `${code} ${message}`);
}

test('a checker that is only registered is validated, compiled, run and named in log lines', () => {
  assert.match(messagesOf(load('{ type: even-port }'))[0] ?? '', /^FL2005 .*one of http, tcp, grpc/);
  addChecker(evenPort);
  assert.throws(() => addChecker(evenPort), /a checker named even-port exists already/);

  const result = load('{ type: even-port, offset: 2, interval: 5s }');
  assert.ok(result.ok, messagesOf(result).join('; '));
  const snapshot = compile(result.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), 1);
  const upstream = structuredClone(snapshot.upstreams[0]!);
  const heartbeat = upstream.heartbeat!;
  assert.deepEqual(
    [heartbeat.kind, heartbeat['offset'], heartbeat.intervalMs, heartbeat.acceptsAgentFeedback],
    ['even-port', 2, 5000, false],
  );
  const words: string[] = [];
  runCheck({ endpoint: upstream.endpoints[0]!, upstream, heartbeat }, (found) =>
    words.push(heartbeatWords(heartbeat, found)),
  );
  assert.deepEqual(words, ['even-port heartbeat (+2): odd']);
});

test('its options are validated as those of the built-in checkers are', () => {
  assert.deepEqual(messagesOf(load('{ type: even-port, offset: 9 }')), ['FL3008 9 is one too many']);
  assert.match(messagesOf(load('{ type: even-port, path: /x }'))[0]!, /^FL3007 "path" .*type: even-port: .* http$/);
  assert.match(messagesOf(load('{ offset: 3 }'))[0]!, /^FL3007 "offset" .*type: http: it is an option of even-port$/);
});
