// Instances of a service in Consul's replies: checks, weights, labels, and replies that are malformed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointsOf, parseInstances } from '../../../../discovery/consul/consul-instances.ts';
import { parseKeys } from '../../../../discovery/consul/consul-keys.ts';

interface Entry {
  readonly Node?: unknown;
  readonly Service?: unknown;
  readonly Checks?: unknown;
}

function entry(id: string, service: object = {}, statuses: Readonly<Record<string, string>> = {}): Entry {
  return {
    Node: { Node: 'n1', Address: '10.0.0.9', Meta: { zone: 'a' } },
    Service: { ID: id, Service: 'api', Address: '10.0.0.1', Port: 80, Weights: { Passing: 1, Warning: 1 }, ...service },
    Checks: Object.entries(statuses).map(([CheckID, Status]) => ({ CheckID, Status })),
  };
}

function causeOf(outcome: { readonly ok: boolean }): string {
  return (outcome as { readonly cause?: string }).cause ?? '';
}

function read(entries: readonly Entry[], { onlyPassing = false, tag = '' } = {}) {
  const parsed = parseInstances(JSON.stringify(entries), tag);
  if (!parsed.ok) return parsed;
  return endpointsOf(parsed.instances, { service: 'api', scheme: 'http', onlyPassing });
}

/** `host:port*weight` of each endpoint. */
function summary(entries: readonly Entry[], options = {}): string {
  const found = read(entries, options);
  if (!found.ok) return found.cause;
  return found.endpoints.map(({ host, port, weight }) => `${host}:${port}*${weight}`).join(' ');
}

describe("an instance of Consul's", () => {
  test('has the address of its service, or of its node, or a tagged one', () => {
    assert.equal(summary([entry('a')]), '10.0.0.1:80*1');
    assert.equal(summary([entry('a', { Address: '' })]), '10.0.0.9:80*1');
    assert.equal(summary([entry('a', { Address: 'API.test' })]), 'api.test:80*1');
    const wan = entry('a', { TaggedAddresses: { wan: { Address: '192.0.2.1', Port: 8080 } } });
    assert.equal(summary([wan], { tag: 'wan' }), '192.0.2.1:8080*1');
    assert.equal(summary([wan], { tag: 'lan' }), '10.0.0.1:80*1');
  });

  test('has zone, backup, weight and metadata from its labels', () => {
    const found = read([
      entry('a', { Meta: { zone: 'b', backup: 'true', weight: '7', version: '2', odd: 3 } }),
      entry('b'),
    ]);
    assert.ok(found.ok);
    const [a, b] = found.endpoints;
    assert.deepEqual([a!.zone, a!.backup, a!.weight], ['b', true, 7]);
    assert.deepEqual(a!.metadata, { zone: 'b', backup: 'true', weight: '7', version: '2', node: 'n1', instance: 'a' });
    assert.deepEqual([b!.zone, b!.backup], ['a', false], 'the zone of its node');
  });

  test('has the weight of its state, scaled where weights are large', () => {
    const weights = { Weights: { Passing: 10, Warning: 2 } };
    assert.equal(summary([entry('a', weights), entry('b', weights, { x: 'warning' })]), '10.0.0.1:80*10 10.0.0.1:80*2');
    const large = { Weights: { Passing: 65_535, Warning: 1 } };
    assert.equal(summary([entry('a', large), entry('b', large, { x: 'warning' })]), '10.0.0.1:80*256 10.0.0.1:80*1');
    const none = entry('c', { Port: 81, Weights: { Passing: 1, Warning: 0 } }, { x: 'warning' });
    assert.equal(summary([entry('a'), none]), '10.0.0.1:80*1', 'weight 0 for warnings leaves it out');
  });

  test('serves while no check of it or of its node fails', () => {
    const good = entry('a', {}, { serfHealth: 'passing', x: 'passing' });
    const states: readonly (readonly [statuses: Readonly<Record<string, string>>, serves: boolean])[] = [
      [{ x: 'warning' }, true],
      [{ x: 'critical' }, false],
      [{ serfHealth: 'critical', x: 'passing' }, false],
      [{ x: 'unheard-of' }, false],
      [{ '_service_maintenance:b': 'critical' }, false],
      [{ _node_maintenance: 'critical' }, false],
    ];
    for (const [statuses, serves] of states) {
      const expected = serves ? '10.0.0.1:80*1 10.0.0.1:81*1' : '10.0.0.1:80*1';
      assert.equal(summary([good, entry('b', { Port: 81 }, statuses)]), expected, JSON.stringify(statuses));
    }
    assert.equal(summary([good, entry('b', { Port: 81 }, { x: 'warning' })], { onlyPassing: true }), '10.0.0.1:80*1');
  });

  test('in maintenance is an order, but all checks failing at once is none', () => {
    const bad = entry('a', {}, { x: 'critical' });
    const away = entry('b', { Port: 81 }, { '_service_maintenance:b': 'critical' });
    assert.equal(summary([away]), '');
    assert.equal(summary([bad, away]), 'the checks of all 1 instance(s) of service api fail');
    assert.equal(summary([]), 'service api has no instance');
  });

  const malformed: Readonly<Record<string, string>> = {
    '': 'it is no list',
    '{"error":1}': 'it is no list',
    null: 'it is no list',
    '[null]': 'instance 1 has no valid address',
    '[[]]': 'instance 1 has no valid address',
    '[{"Service":7}]': 'instance 1 has no valid address',
    '[{"Service":{"Address":"a b","Port":1}}]': 'instance 1 has no valid address',
    '[{"Service":{"Address":"a/../b","Port":1}}]': 'instance 1 has no valid address',
    '[{"Service":{"Address":"a","Port":0}}]': 'instance 1 has no port',
    '[{"Service":{"Address":"a","Port":1}},{"Service":{"Address":"a","Port":65536}}]': 'instance 2 has no port',
    '[{"Service":{"Address":"a","Port":"80; rm"}}]': 'instance 1 has no port',
    '[{"Service":{"Address":"a","Port":1.5}}]': 'instance 1 has no port',
  };
  for (const [text, cause] of Object.entries(malformed)) {
    test(`is missing in ${JSON.stringify(text)}`, () => {
      assert.ok(causeOf(parseInstances(text)).startsWith(`the list of instances is malformed: ${cause}`));
    });
  }

  test('may have labels of any kind without harm', () => {
    const meta = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`m${at}`, 'x']));
    const found = read([entry('a', { Meta: { ...meta, long: 'x'.repeat(10_000), weight: '-1' } })]);
    assert.ok(found.ok && Object.keys(found.endpoints[0]!.metadata).length === 66 && found.endpoints[0]!.weight === 1);
    assert.equal(summary([{ ...entry('a'), Checks: 'none' }]), '10.0.0.1:80*1');
    assert.equal(summary([entry('a', { Weights: { Passing: 'x', Warning: -3 }, Meta: [] })]), '10.0.0.1:80*1');
  });
});

describe("keys of Consul's", () => {
  test('have decoded values, and folders none', () => {
    const stored = [
      { Key: 'p/', Value: null },
      { Key: 'p/a', Value: Buffer.from('http://a:1').toString('base64') },
    ];
    assert.deepEqual(parseKeys(JSON.stringify(stored)), { ok: true, values: [{ key: 'p/a', value: 'http://a:1' }] });
  });

  for (const text of ['', '{}', '[null]', '[{"Value":"eA=="}]', '[{"Key":"a","Value":7}]']) {
    test(`are refused in ${JSON.stringify(text)}`, () => assert.match(causeOf(parseKeys(text)), /malformed/));
  }
});
