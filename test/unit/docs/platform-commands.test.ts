// Commands of other programs in the pages (docker, kubectl, helm, systemctl, npm): the files, services, ports, images,
// namespaces and versions that they name are those of this repository. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments, parse } from 'yaml';
import { allPages, exists, ROOT } from './pages.ts';

const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const DOCKERFILE = read('Dockerfile');
const PACKAGE = JSON.parse(read('package.json')) as { version: string; devDependencies: Record<string, string> };

/** A shell block, its continued lines joined and without comments. */
interface Block {
  readonly where: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const HISTORY = /^(?:CHANGELOG\.md|docs\/decisions\/)/;
const BLOCKS: readonly Block[] = allPages()
  .filter(({ name }) => !HISTORY.test(name))
  .flatMap(({ name, fences }) =>
    fences
      .filter(({ info }) => info === 'sh')
      .map(({ text, line }) => {
        const joined = text.replaceAll('\\\n', ' ').replaceAll(/ +# .*$/gm, '');
        return { where: `${name}:${line}`, text: joined, lines: joined.split('\n') };
      }),
  );

interface Compose {
  readonly services: Readonly<Record<string, { readonly build?: string; readonly ports?: readonly string[] }>>;
}

/** Runs a check on each match of a pattern, and fails where no page has one. */
function forEachMatch(pattern: RegExp, check: (groups: readonly string[], block: Block) => void): void {
  const found = BLOCKS.flatMap((block) =>
    block.lines.flatMap((line) => [...line.matchAll(pattern)].map((match) => ({ block, match }))),
  );
  assert.notEqual(found.length, 0, `a page has ${pattern}`);
  for (const { block, match } of found)
    check(
      match.slice(1).map((group) => group ?? ''),
      block,
    );
}

describe('docker compose -f FILE', () => {
  test('names services of the file', () => {
    forEachMatch(/docker compose -f (\S+) (?:stop|start|exec|logs|restart) ([\w-]+)/g, ([file, service], { where }) => {
      const { services } = parse(read(file!), { merge: true }) as Compose;
      assert.ok(Object.hasOwn(services, service!), `${where}: ${service} is not in ${file}`);
    });
  });

  test('builds images where there is a Dockerfile', () => {
    forEachMatch(/docker compose -f (\S+) up .*--build/g, ([file], { where }) => {
      const { services } = parse(read(file!), { merge: true }) as Compose;
      const folders = Object.values(services).flatMap(({ build }) => build ?? []);
      assert.notEqual(folders.length, 0, `${where}: ${file} builds nothing`);
      for (const folder of folders) {
        assert.ok(exists(path.posix.join(path.posix.dirname(file!), folder, 'Dockerfile')), `${where}: ${folder}`);
      }
    });
  });

  test('publishes the ports that are called after it', () => {
    forEachMatch(/docker compose -f (\S+) up/g, ([file], { where, text }) => {
      const { services } = parse(read(file!), { merge: true }) as Compose;
      const published = Object.values(services).flatMap(({ ports = [] }) =>
        ports.map((port) => port.split(':').at(-2)!),
      );
      for (const [, port] of text.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)) {
        assert.ok(published.includes(port!), `${where}: ${file} does not publish ${port}`);
      }
    });
  });
});

test('docker run uses the image that is built, its port and the path of its configuration', () => {
  forEachMatch(/docker run (.*)$/g, ([options], { where, text }) => {
    const image = options!.trim().split(' ').at(-1)!;
    assert.match(text, new RegExp(`docker build -t ${image} \\.`), where);
    for (const [, port] of options!.matchAll(/-p \d+:(\d+)/g))
      assert.match(DOCKERFILE, new RegExp(`^EXPOSE ${port}$`, 'm'));
    for (const [, inside] of options!.matchAll(/-v [^:\s]+:([^:\s]+)/g))
      assert.ok(DOCKERFILE.includes(`"${inside}"]`), where);
  });
});

describe('kubectl', () => {
  test('applies files of complete objects', () => {
    forEachMatch(/kubectl apply -f (\S+)/g, ([file], { where }) => {
      const objects = parseAllDocuments(read(file!)).map((document) => document.toJS() as Record<string, unknown>);
      assert.notEqual(objects.length, 0, where);
      for (const { apiVersion, kind, metadata } of objects) {
        assert.ok(typeof apiVersion === 'string' && typeof kind === 'string', `${where}: ${file}`);
        assert.ok((metadata as { name?: string } | undefined)?.name, `${where}: ${kind} in ${file} has a name`);
      }
    });
  });

  test('creates the namespace of the objects that it applies', () => {
    forEachMatch(/kubectl create namespace (\S+)/g, ([namespace], { where, text }) => {
      const [, file] = /kubectl apply -f (\S+)/.exec(text)!;
      const named = [...read(file!).matchAll(/^\s*namespace: (\S+)$/gm)].map((match) => match[1]!);
      assert.deepEqual([...new Set(named)], [namespace], where);
    });
  });

  test('creates the secret of a release in its namespace', () => {
    forEachMatch(/helm install \S+ (\S+) --namespace (\S+)/g, ([chart, namespace], { where, text }) => {
      assert.ok(exists(`${chart}/Chart.yaml`) && exists(`${chart}/values.schema.json`), where);
      const [, own, secret, key] = /kubectl -n (\S+) create secret generic (\S+) --from-literal=(\w+)=/.exec(text)!;
      assert.equal(own, namespace, where);
      const { adminToken } = parse(read(`${chart}/values.yaml`)) as { adminToken: unknown };
      assert.deepEqual(Object.values(adminToken as object), [secret, key], where);
    });
  });
});

test('systemctl names units that are in deploy/systemd', () => {
  const text = allPages()
    .map(({ prose, fences }) => [...prose, ...fences.map((fence) => fence.text)].join('\n'))
    .join('\n');
  const units = new Set(
    [...text.matchAll(/systemctl [^`\n]*?(fairlead[\w-]*\.(?:service|socket))/g)].map((match) => match[1]!),
  );
  assert.notEqual(units.size, 0);
  for (const unit of units) assert.ok(exists(`deploy/systemd/${unit}`), unit);
});

test('versions are those of package.json', () => {
  forEachMatch(/\bfairlead[-:](\d+\.\d+\.\d+)\b/g, ([version], { where }) =>
    assert.equal(version, PACKAGE.version, where),
  );
  const major = /\d+/.exec(PACKAGE.devDependencies['node']!)![0];
  forEachMatch(/\bnode@(\d+)/g, ([given], { where }) => assert.equal(given, major, where));
});
