// Registry of balancers: a new one is complete with its descriptor alone. Thread: both.
// Own process: it adds a balancer to the registry of the process.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineBalancer } from '../../../balancers/descriptor.ts';
import { addBalancer, balancerNamed } from '../../../balancers/registry.ts';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { type LoadResult, loadConfigText } from '../../../config/load.ts';
import { renderEditorSchema } from '../../../config/schema/editor-schema.ts';
import { isKnownKey } from '../../../config/schema/known-keys.ts';
import { UpstreamPicker } from '../../../balancers/upstream-picker.ts';
import { seededRandom } from '../../../core/random.ts';
import { testRegion, testRequest } from '../../support/balancing.ts';

const seen: string[] = [];

/** Picks the candidate at a configured position, counted from the end. */
const fromTheEnd = defineBalancer({
  name: 'from-the-end',
  options: ({ count, duration }) => ({
    position: count(1, 9).default(1).describe('Position from the end.'),
    patience: duration().prefault('2s').describe('Unused.'),
  }),
  check: ({ position }, { endpointCount }) =>
    position <= endpointCount
      ? []
      : [{ code: 'FL3008', message: `there are only ${endpointCount} endpoints`, path: ['position'] }],
  compile: ({ position, patience }) => ({ position, patienceMs: patience }),
  build: ({ position, patienceMs }, { usable }) => {
    seen.push(`built with ${position} and ${patienceMs} ms`);
    const slot = usable.at(-position)?.slot ?? -1;
    return { pick: () => slot };
  },
  observe: () => ({
    answered: (slot, ms) => seen.push(`slot ${slot} answered after ${ms} ms`),
    failed: () => {},
    overloaded: () => {},
  }),
  because: ({ position }) => `number ${position} from the end`,
});

function load(balance: string): LoadResult {
  const text = `listeners: [{ name: web, bind: 127.0.0.1:8080 }]
routes: [{ upstream: app }]
upstreams:
  app: { balance: ${balance}, health: { heartbeat: false }, endpoints: [http://10.0.0.1:1, http://10.0.0.2:1, http://10.0.0.3:1] }
`;
  return loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
}

function messagesOf(result: LoadResult): string[] {
  return result.ok ? [] : result.problems.map(({ code, message }) => `${code} ${message}`);
}

test('a balancer that is only registered is validated, compiled, built, fed and explained', () => {
  assert.match(messagesOf(load('from-the-end'))[0] ?? '', /^FL2005 .*must be least-request, round-robin/);
  addBalancer(fromTheEnd);
  assert.throws(() => addBalancer(fromTheEnd), /a balancer named from-the-end exists already/);

  const result = load('{ strategy: from-the-end, position: 2 }');
  assert.ok(result.ok, messagesOf(result).join('; '));
  const snapshot = compile(result.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), 1);
  const upstream = structuredClone(snapshot.upstreams[0]!);
  assert.deepEqual(upstream.balance, { kind: 'from-the-end', position: 2, patienceMs: 2000 });

  const region = testRegion();
  const picker = new UpstreamPicker(upstream, { region, worker: 0, random: seededRandom(1) });
  assert.equal(picker.pick(testRequest()), upstream.endpoints[1]!.slot);
  const balancer = balancerNamed(upstream.balance.kind);
  balancer.observe!(upstream.balance, region).answered(2, 15, 0);
  assert.deepEqual(seen, ['built with 2 and 2000 ms', 'slot 2 answered after 15 ms']);
  assert.equal(balancer.because(upstream.balance, null), 'number 2 from the end');
});

test('its options are validated as those of the built-in balancers are', () => {
  assert.deepEqual(messagesOf(load('{ strategy: from-the-end, position: 4 }')), ['FL3008 there are only 3 endpoints']);
  assert.match(
    messagesOf(load('{ strategy: from-the-end, patience: 2 }'))[0]!,
    /^FL200[45] "patience" must be a duration/,
  );
  assert.match(messagesOf(load('{ strategy: from-the-end, seed: 2 }'))[0]!, /^FL3007 .*strategy from-the-end/);
  assert.equal(load('from-the-end').ok, true);
  assert.equal(isKnownKey('upstreams.*.balance.position'), true);
  assert.match(renderEditorSchema(), /Position from the end/);
});
