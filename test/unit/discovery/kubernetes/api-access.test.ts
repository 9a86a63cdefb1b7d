// Access to the API server: kubeconfig, and the service account of a pod. Events that are cut anywhere. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadAccess, type Pod } from '../../../../discovery/kubernetes/api-access.ts';
import { JsonLines } from '../../../../discovery/kubernetes/json-lines.ts';

const FILES: Record<string, string> = {
  '/etc/k/ca.pem': 'CA',
  '/etc/k/token': 'from-file\n',
  '/sa/ca.crt': 'POD CA',
  '/sa/token': 'pod-token\n',
  '/sa/namespace': 'shop',
};

const KUBECONFIG = `
current-context: main
contexts:
  - { name: main, context: { cluster: one, user: token, namespace: shop } }
  - { name: certificate, context: { cluster: two, user: certificate } }
  - { name: file, context: { cluster: one, user: file } }
  - { name: lost, context: { cluster: none, user: token } }
  - { name: exec, context: { cluster: one, user: exec } }
  - { name: socks, context: { cluster: socks } }
  - { name: odd, context: { cluster: odd } }
clusters:
  - { name: one, cluster: { server: "https://10.0.0.1:6443/", certificate-authority: ca.pem } }
  - name: two
    cluster: { server: "https://api.test/k8s/", certificate-authority-data: ${btoa('CA 2')}, tls-server-name: kube }
  - { name: socks, cluster: { server: "https://10.0.0.1", proxy-url: "socks5://10.0.0.9" } }
  - { name: odd, cluster: { server: "ftp://10.0.0.1", insecure-skip-tls-verify: true } }
users:
  - { name: token, user: { token: secret } }
  - { name: certificate, user: { client-certificate-data: ${btoa('CERT')}, client-key-data: ${btoa('KEY')} } }
  - { name: file, user: { token: old, tokenFile: token } }
  - { name: exec, user: { exec: { command: aws } } }
`;

function access(context: string, text = KUBECONFIG, pod?: Pod) {
  const readText = (file: string): string => {
    const found = file === '/etc/k/config' ? text : FILES[file];
    if (found === undefined) throw new Error('does not exist');
    return found;
  };
  return loadAccess({ kubeconfig: pod === undefined ? '/etc/k/config' : '', context }, { readText }, pod);
}

describe('a kubeconfig', () => {
  test('gives server, CA and token of its current context', () => {
    assert.deepEqual(access(''), {
      server: 'https://10.0.0.1:6443',
      ca: 'CA',
      cert: '',
      key: '',
      token: 'secret',
      serverName: '',
      verify: true,
      namespace: 'shop',
    });
  });

  test('has client certificates and CAs as data, and names for the certificate of the server', () => {
    const { server, ca, cert, key, serverName, namespace } = access('certificate');
    assert.deepEqual([server, ca, cert, key], ['https://api.test/k8s', 'CA 2', 'CERT', 'KEY']);
    assert.deepEqual([serverName, namespace], ['kube', 'default']);
  });

  test('reads a token file beside it, which has precedence over a token', () => {
    assert.equal(access('file').token, 'from-file');
  });

  const REFUSED: readonly (readonly [context: string, message: RegExp, text?: string])[] = [
    ['other', /^\/etc\/k\/config has no context "other"$/],
    ['lost', /has no cluster "none"$/],
    [
      'exec',
      /user "exec" has "exec", which is refused \(it runs a command\): use token, tokenFile or a client certificate$/,
    ],
    ['socks', /"proxy-url" is not supported$/],
    ['odd', /the server "ftp:\/\/10\.0\.0\.1" is no URL with https or http$/],
    ['', /has no current-context: set "context"$/, 'contexts: []'],
    ['', /is no kubeconfig$/, '- 1'],
    ['', /is not valid YAML: /, 'a: [1'],
    ['', /the file \/etc\/k\/none does not exist/, KUBECONFIG.replace('ca.pem', 'none')],
  ];
  for (const [context, message, text] of REFUSED) {
    test(`is refused: ${message.source}`, () => assert.throws(() => access(context, text), { message }));
  }
});

describe('the service account of a pod', () => {
  const pod = { directory: '/sa', environment: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' } };

  test('gives server, CA, token and namespace', () => {
    const { server, ca, token, namespace } = access('', '', pod);
    assert.deepEqual([server, ca, token, namespace], ['https://[fd00::1]:443', 'POD CA', 'pod-token', 'shop']);
  });

  test('is missing outside of a pod', () => {
    const message = /does not run in a pod \(KUBERNETES_SERVICE_HOST is not set\): set "kubeconfig"/;
    assert.throws(() => access('', '', { ...pod, environment: {} }), { message });
  });
});

describe('a stream of events', () => {
  const EVENTS = [{ type: 'ADDED', object: { name: 'zürich ☃' } }, { type: 'BOOKMARK' }, { type: 'DELETED' }];
  const BYTES = Buffer.from(EVENTS.map((event) => `${JSON.stringify(event)}\n`).join(''));

  test('is read wherever its chunks are cut', () => {
    for (let cut = 0; cut <= BYTES.length; cut++) {
      const lines = new JsonLines();
      assert.deepEqual([...lines.push(BYTES.subarray(0, cut)), ...lines.push(BYTES.subarray(cut))], EVENTS);
    }
  });

  test('that is no JSON, or too long, is refused', () => {
    assert.throws(() => new JsonLines().push(Buffer.from('{"a":\n')), /sends an event that is not JSON/);
    assert.throws(() => new JsonLines().push(Buffer.alloc(8 * 1024 * 1024 + 1, 65)), /more than 8 MiB/);
  });
});
