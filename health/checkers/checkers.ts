// Table of checkers. A new kind of heartbeat is one file and one line here; a plugin's joins by `installChecker`. Thread: main.

import { DescriptorTable } from '../../core/descriptor-table.ts';
import { type CheckerDescriptor, type RunCheck } from './checker.ts';
import { cassandra } from './cassandra-check.ts';
import { grpc } from './grpc-check.ts';
import { http } from './http-check.ts';
import { mysql } from './mysql-check.ts';
import { postgres } from './postgres-check.ts';
import { redis } from './redis-check.ts';
import { script } from './script-check.ts';
import { tcp } from './tcp-check.ts';

/** The first one is the default. */
const BUILT_IN: readonly CheckerDescriptor[] = [http, tcp, grpc, postgres, mysql, redis, cassandra, script];

const table = new DescriptorTable<CheckerDescriptor>('checker', BUILT_IN);

/** All checkers, the built-in ones first. */
export function allCheckers(): readonly CheckerDescriptor[] {
  return table.all();
}

/**
 * Adds a checker for the rest of the process. Call it before the configuration is validated.
 * @throws Error when the name is taken
 */
export function addChecker(descriptor: CheckerDescriptor): void {
  table.add(descriptor);
}

/** Adds a plugin's checker, in place of an earlier one of that name. @throws Error for a built-in name */
export function installChecker(descriptor: CheckerDescriptor): void {
  table.install(descriptor);
}

/** @throws Error when there is none: the configuration accepts registered names only. */
export function checkerNamed(name: string): CheckerDescriptor {
  return table.named(name);
}

/** Starts a heartbeat of the target's kind. */
export const runCheck: RunCheck = (target, done) => checkerNamed(target.heartbeat.kind).run(target, done);
