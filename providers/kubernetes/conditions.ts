// Conditions in the status of objects: what is reported, and whether it differs from what is there. Thread: main.

import { type ApiObject, isObject, numberAt, textAt } from '../../discovery/kubernetes/api-object.ts';

/** A condition without its time. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export function condition(type: string, isTrue: boolean, reason: string, message = ''): Condition {
  return { type, status: isTrue ? 'True' : 'False', reason, message };
}

/** Conditions as objects have them. Times of those whose status stays are kept. */
export function withTimes(
  conditions: readonly Condition[],
  before: readonly unknown[],
  object: ApiObject,
  now: string,
): ApiObject[] {
  const observedGeneration = numberAt(object, 'metadata', 'generation') ?? 1;
  return conditions.map((one) => {
    const known = before.find(
      (other) => isObject(other) && other['type'] === one.type && other['status'] === one.status,
    );
    return { ...one, observedGeneration, lastTransitionTime: textAt(known, 'lastTransitionTime') || now };
  });
}

/** Whether two statuses say the same, whatever the order of their keys. */
export function isSameStatus(before: unknown, after: unknown): boolean {
  return JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
