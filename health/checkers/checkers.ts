// Table of checkers. A new kind of heartbeat is one file and one line here; a plugin's joins by `addChecker`. Thread: main.

import { type CheckerDescriptor, type RunCheck } from './checker.ts';
import { grpc } from './grpc-check.ts';
import { http } from './http-check.ts';
import { tcp } from './tcp-check.ts';

/** The first one is the default. */
const BUILT_IN: readonly CheckerDescriptor[] = [http, tcp, grpc];

const byName = new Map(BUILT_IN.map((descriptor) => [descriptor.name, descriptor]));

/** All checkers, the built-in ones first. */
export function allCheckers(): readonly CheckerDescriptor[] {
  return [...byName.values()];
}

/**
 * Adds a plugin's checker for the rest of the process. Call it before the configuration is validated.
 * @throws Error when the name is taken
 */
export function addChecker(descriptor: CheckerDescriptor): void {
  if (byName.has(descriptor.name)) throw new Error(`a checker named ${descriptor.name} exists already`);
  byName.set(descriptor.name, descriptor);
}

/** @throws Error when there is none: the configuration accepts registered names only. */
export function checkerNamed(name: string): CheckerDescriptor {
  const descriptor = byName.get(name);
  if (descriptor === undefined) throw new Error(`no checker is named ${name}`);
  return descriptor;
}

/** Starts a heartbeat of the target's kind. */
export const runCheck: RunCheck = (target, done) => checkerNamed(target.heartbeat.kind).run(target, done);
