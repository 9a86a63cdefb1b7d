// Containers and events of the Docker API: selection, addresses, states, and replies that are malformed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEvent } from '../../../../discovery/docker/container-event.ts';
import { type ContainerSelection, parseContainer, selectedContainers } from '../../../../discovery/docker/container.ts';

const SELECTION: ContainerSelection = {
  upstream: 'api',
  service: '',
  project: '',
  network: '',
  port: 0,
  isPublished: false,
  engineHost: '127.0.0.1',
  scheme: 'http',
};
const ID = 'ab'.repeat(32);

function listed(labels: object | null, selection: Partial<ContainerSelection> = {}): boolean {
  const found = selectedContainers(JSON.stringify([{ Id: ID, Labels: labels }]), { ...SELECTION, ...selection });
  return found.ok && found.ids.length === 1;
}

interface Given {
  readonly labels?: object;
  readonly networks?: unknown;
  readonly exposed?: unknown;
  readonly ports?: unknown;
  readonly state?: unknown;
  readonly mode?: string;
}

function containerOf(given: Given, selection: Partial<ContainerSelection> = {}) {
  const { labels = {}, exposed = { '80/tcp': {} }, ports = {}, mode = 'bridge' } = given;
  const { networks = { bridge: { IPAddress: '172.17.0.2' } }, state = { Running: true } } = given;
  const reply = {
    Id: ID,
    Name: '/web-1',
    State: state,
    Config: { Labels: labels, ExposedPorts: exposed, Image: 'web:2', StopSignal: 'SIGQUIT' },
    HostConfig: { NetworkMode: mode },
    NetworkSettings: { Networks: networks, Ports: ports },
  };
  return parseContainer(JSON.stringify(reply), { ...SELECTION, ...selection })!;
}

/** `host:port`, or what is wrong. */
function placeOf(given: Given, selection: Partial<ContainerSelection> = {}): string {
  const { endpoint } = containerOf(given, selection);
  return typeof endpoint === 'string' ? endpoint : `${endpoint.host}:${endpoint.port}`;
}

describe('a container', () => {
  test('is selected by its label, or by its Compose service', () => {
    const composed = { 'com.docker.compose.service': 'api' };
    assert.ok(listed({ 'fairlead.upstream': 'api' }));
    assert.ok(!listed({ 'fairlead.upstream': 'other' }));
    assert.ok(!listed({ 'fairlead.upstream': 'api', 'fairlead.enable': 'false' }));
    assert.ok(!listed(null) && !listed({}) && !listed(composed), 'nothing is selected without a word');
    assert.ok(listed({ ...composed, 'fairlead.enable': 'true' }));
    assert.ok(listed(composed, { upstream: 'x', service: 'api' }));
    const ofShop = { ...composed, 'com.docker.compose.project': 'shop' };
    assert.ok(listed(ofShop, { upstream: 'x', service: 'api', project: 'shop' }));
    assert.ok(!listed(ofShop, { upstream: 'x', service: 'api', project: 'blog' }));
    assert.ok(
      !listed({ ...composed, 'fairlead.upstream': 'y' }, { upstream: 'x', service: 'api' }),
      'labels come first',
    );
  });

  test('has the address of its network', () => {
    const both = { front: { IPAddress: '10.1.0.2' }, shop_back: { IPAddress: '', GlobalIPv6Address: 'fd00::2' } };
    assert.equal(placeOf({}), '172.17.0.2:80');
    assert.match(
      placeOf({ networks: both }),
      /^container web-1 is in several networks \(front, shop_back\): set the label/,
    );
    assert.equal(placeOf({ networks: both }, { network: 'front' }), '10.1.0.2:80');
    const labels = { 'fairlead.network': 'back', 'com.docker.compose.project': 'shop' };
    assert.equal(placeOf({ networks: both, labels }, { network: 'front' }), 'fd00::2:80', 'the label comes first');
    assert.match(placeOf({ networks: both }, { network: 'x' }), /is not in network x; its networks: front, shop_back/);
    assert.match(placeOf({ networks: null }), /has no address in its networks \(none\)/);
    assert.match(placeOf({ networks: { n: { IPAddress: 'a b' } } }), /has no address/);
    assert.equal(placeOf({ mode: 'host', networks: null }), '127.0.0.1:80');
  });

  test('has the port of its label, of the source, or the only exposed one', () => {
    assert.equal(placeOf({ labels: { 'fairlead.port': '81' } }, { port: 82 }), '172.17.0.2:81');
    assert.equal(placeOf({}, { port: 82 }), '172.17.0.2:82');
    assert.equal(placeOf({ exposed: { '53/udp': {}, '80/tcp': {} } }), '172.17.0.2:80');
    assert.match(placeOf({ exposed: { '80/tcp': {}, '81/tcp': {} } }), /exposes 2 ports: set the label fairlead\.port/);
    assert.match(placeOf({ exposed: null }), /exposes 0 ports/);
    for (const port of ['0', '65536', 'x', '80/tcp', ' 80']) {
      assert.match(placeOf({ labels: { 'fairlead.port': port } }), /label fairlead\.port that is no number/, port);
    }
  });

  test('has its published port', () => {
    const ports = (HostIp: unknown, HostPort: unknown) => ({ '80/tcp': [{ HostIp, HostPort }] });
    const selection = { isPublished: true, engineHost: 'docker.test' };
    assert.equal(placeOf({ ports: ports('0.0.0.0', '32768') }, selection), 'docker.test:32768');
    assert.equal(placeOf({ ports: ports('10.0.0.1', '32768') }, selection), '10.0.0.1:32768');
    for (const bad of [null, {}, ports('', null), ports('', '0'), { '80/tcp': [null] }]) {
      assert.match(placeOf({ ports: bad }, selection), /doesn't publish port 80/);
    }
  });

  test('has weight, backup and zone from labels', () => {
    const labels = { 'fairlead.weight': '3', 'fairlead.backup': 'true', 'fairlead.zone': 'a' };
    const { endpoint } = containerOf({ labels });
    assert.ok(typeof endpoint !== 'string');
    assert.deepEqual([endpoint.weight, endpoint.backup, endpoint.zone], [3, true, 'a']);
    assert.deepEqual(endpoint.metadata, { container: 'web-1', image: 'web:2' });
    assert.match(placeOf({ labels: { 'fairlead.weight': '257' } }), /fairlead\.weight that is no number from 1 to 256/);
  });

  test('has a state', () => {
    const states: readonly (readonly [state: object | null, expected: string])[] = [
      [{ Running: true }, 'healthy'],
      [{ Running: true, Health: { Status: 'healthy' } }, 'healthy'],
      [{ Running: true, Health: { Status: 'none' } }, 'healthy'],
      [{ Running: true, Health: { Status: 'starting' } }, 'starting'],
      [{ Running: true, Health: { Status: 'unhealthy' } }, 'unhealthy'],
      [{ Running: true, Paused: true }, 'stopped'],
      [{ Running: true, Restarting: true }, 'stopped'],
      [{ Running: false }, 'stopped'],
      [null, 'stopped'],
    ];
    for (const [state, expected] of states) assert.equal(containerOf({ state }).state, expected, JSON.stringify(state));
    assert.equal(containerOf({}).stopSignal, 'QUIT');
  });

  for (const text of ['', 'null', '{}', '[null]', '[{}]', '[{"Id":"../x"}]', '[{"Id":7}]', '[{"Id":"zz"}]']) {
    test(`is missing in ${JSON.stringify(text)}`, () => {
      const found = selectedContainers(text, SELECTION);
      assert.match(found.ok ? '' : found.cause, /^the list of containers is malformed/);
      assert.equal(parseContainer(text, SELECTION), null);
    });
  }
});

describe('an event of a container', () => {
  const events: readonly (readonly [event: object | string, kind: string | undefined])[] = [
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: { signal: '15' } } }, 'leaving'],
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: { signal: 'SIGQUIT' } } }, 'leaving'],
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: {} } }, 'leaving'],
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: { signal: '10' } } }, 'leaving'],
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'b', Attributes: { signal: '10' } } }, undefined],
    [{ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: { signal: '1' } } }, undefined],
    [{ Type: 'container', Action: 'die', Actor: { ID: 'a' } }, 'leaving'],
    [{ Type: 'container', Action: 'pause', Actor: { ID: 'a' } }, 'leaving'],
    [{ Type: 'container', Action: 'start', Actor: { ID: 'a' } }, 'started'],
    [{ Type: 'container', Action: 'health_status: unhealthy', Actor: { ID: 'a' } }, 'checked'],
    [{ Type: 'container', Action: 'rename', Actor: { ID: 'a' } }, 'changed'],
    [{ Type: 'container', Action: 'exec_create: sh', Actor: { ID: 'a' } }, undefined],
    [{ Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: { container: 'a' } } }, 'changed'],
    [{ Action: 7 }, undefined],
    ['{"Action":', undefined],
    ['null', undefined],
    ['[]', undefined],
  ];
  for (const [event, kind] of events) {
    const line = typeof event === 'string' ? event : JSON.stringify(event);
    test(`${line} is ${kind ?? 'of no interest'}`, () => {
      assert.equal(parseEvent(line, (id) => (id === 'a' ? '10' : ''))?.kind, kind);
    });
  }
});
