// A recipe of docs/recipes.md that runs: its ports, app servers and files belong to the test. Thread: main.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { AppServer } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

interface Asked {
  /** Name of the listener; the first one if absent. */
  readonly listener?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as an app server received it, which it answers with. */
export interface Echo {
  readonly app: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const APP = /127\.0\.0\.1:(3\d{3})/g;
const BIND = /(bind: )127\.0\.0\.1:\d+/g;
const FOLDER = /\$\{(?:CERT|SITE|LOG)_DIR\}/g;

export class RecipeBench {
  readonly fairlead: RunningFairlead;
  /** By the port in the recipe. */
  readonly apps: ReadonlyMap<string, AppServer>;
  /** The folder that all variables of recipes name. */
  readonly folder: string;
  readonly #yaml: string;

  private constructor(fairlead: RunningFairlead, apps: ReadonlyMap<string, AppServer>, folder: string, yaml: string) {
    this.fairlead = fairlead;
    this.apps = apps;
    this.folder = folder;
    this.#yaml = yaml;
  }

  /**
   * Starts a recipe and the app servers that it names.
   * @param files contents of files by their paths in the folder that all variables of recipes name
   */
  static async start(
    t: TestContext,
    recipe: string,
    files: Readonly<Record<string, string>> = {},
  ): Promise<RecipeBench> {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-recipe-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { cert, key } = testCertificate(['shop.example.com']);
    const all = { 'shop.example.com.pem': cert, 'shop.example.com.key': key, ...files };
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    const apps = new Map<string, AppServer>();
    for (const [, port] of recipe.matchAll(APP)) if (!apps.has(port!)) apps.set(port!, await startApp(t, port!));
    const yaml = recipe
      .replaceAll(APP, (_, port: string) => apps.get(port)!.address)
      .replaceAll(BIND, '$1127.0.0.1:0')
      .replaceAll(FOLDER, folder);
    return new RecipeBench(await startFairlead(t, `workers: 1\n${yaml}`), apps, folder, yaml);
  }

  app(port: number): AppServer {
    return this.apps.get(String(port))!;
  }

  portOf(listener: string): number {
    return this.fairlead.plane.bound.find(({ name }) => name === listener)!.port;
  }

  ask(target: string, { listener, method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { bound } = this.fairlead.plane;
    const { name, port } = bound.find((one) => one.name === (listener ?? bound[0]!.name))!;
    const isTls = new RegExp(`name: ${name}\\b[^}]*?\\btls:`).test(this.#yaml);
    const options = { port, method, path: target, agent: false, headers: { host: 'shop.example.com', ...headers } };
    const sent = isTls ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    sent.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({ status: response.statusCode!, headers: response.headers, body: whole, text: whole.toString() });
      });
    });
    sent.end(body);
    return promise;
  }

  async askMany(count: number, target: string | ((index: number) => string), asked: Asked = {}): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let index = 0; index < count; index += 1) {
      answers.push(await this.ask(typeof target === 'string' ? target : target(index), asked));
    }
    return answers;
  }

  /** The request as an app server received it. */
  async echo(target: string, asked: Asked = {}): Promise<Echo> {
    return JSON.parse((await this.ask(target, asked)).text) as Echo;
  }
}

/** An app server that answers with the request that it received; its name is its port in the recipe. */
async function startApp(t: TestContext, port: string): Promise<AppServer> {
  const app = new AppServer(port);
  app.handler = (request, response) => {
    const body = JSON.stringify({ app: port, url: request.url, headers: request.headers });
    response.writeHead(200, { 'content-type': 'application/json', 'x-powered-by': 'test' }).end(body);
  };
  await app.start();
  t.after(() => app.kill());
  return app;
}

export function statusesOf(answers: readonly Answer[]): number[] {
  return [...new Set(answers.map(({ status }) => status))];
}

export function appsOf(answers: readonly Answer[]): string[] {
  return [...new Set(answers.map(({ text }) => (JSON.parse(text) as Echo).app))].toSorted();
}
