// Rolls a rollout back: the old endpoint gets its state back first, then the new one drains and is removed, then its process
// is stopped. A process that may still serve requests is not stopped. Thread: main.

import type { RolloutApi } from './rollout-api.ts';
import {
  LOOK_MS,
  pendingOf,
  type RolloutOutcome,
  type RolloutPhase,
  type RolloutStart,
  type RolloutTools,
  secondsOf,
} from './rollout-parts.ts';
import type { RolloutPlan } from './rollout-plan.ts';

interface RollBackParts extends RolloutStart {
  readonly plan: RolloutPlan;
  readonly tools: RolloutTools;
  readonly api: RolloutApi;
  readonly oldName: string;
  readonly newName: string;
}

/** Never throws: a step that fails is a note. */
export async function rollBack(parts: RollBackParts, phase: RolloutPhase, cause: string): Promise<RolloutOutcome> {
  const { plan, tools, api, newName } = parts;
  tools.say(`rolling back: ${cause}`);
  const why = await api.why(newName).catch(() => null);
  const notes: string[] = [];
  try {
    if (phase === 'draining') await restoreOld(parts);
    const note = await takeOutNew(parts);
    if (note !== '') notes.push(note);
  } catch (error) {
    const left = `the process of ${newName} is left running, because it may still serve requests`;
    notes.push(`${(error as Error).message}; ${left}`);
    return { result: 'rolledBack', phase, cause, why, notes };
  }
  if (plan.rollback !== '') {
    tools.say(`rollback: ${plan.rollback}`);
    const failure = await tools.run(plan.rollback, null);
    if (failure !== '') notes.push(`the rollback command failed: ${failure}`);
  }
  return { result: 'rolledBack', phase, cause, why, notes };
}

async function restoreOld({ api, tools, old, oldName }: RollBackParts): Promise<void> {
  const { operator } = old.wishes;
  await api.setState(oldName, operator);
  tools.say(`${oldName} is ${operator} again`);
}

/** @returns the state in which the endpoint is left; '' where it is removed */
async function takeOutNew(parts: RollBackParts): Promise<string> {
  const { api, joining, newBefore, newName } = parts;
  const current = await api.endpoint(newName);
  if (current === null) return '';
  await api.setState(newName, 'drain');
  await waitUntilIdle(parts);
  if (joining === 'added') {
    await api.remove(newName);
    parts.tools.say(`${newName} is removed`);
    return '';
  }
  const state = newBefore?.wishes.operator === 'maintenance' ? 'maintenance' : 'drain';
  if (state === 'maintenance') await api.setState(newName, state);
  return `${newName} stays in ${state}: it comes from ${current.origin}`;
}

/** An endpoint that fails may never become idle: the timeout bounds it. */
async function waitUntilIdle({ api, tools, plan, newName }: RollBackParts): Promise<void> {
  const startMs = tools.nowMs();
  for (;;) {
    await tools.sleep(LOOK_MS, null);
    const pending = pendingOf(await api.endpoint(newName));
    const passedMs = tools.nowMs() - startMs;
    if (pending === 0 || passedMs >= plan.timeoutMs) return;
    tools.show(`${newName}: ${pending} in flight, ${secondsOf(passedMs)}`);
  }
}
