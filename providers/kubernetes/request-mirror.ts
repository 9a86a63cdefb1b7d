// RequestMirror filters of HTTPRoute rules: their share of requests, and the mirrors of a route. Thread: main.

import { type ApiObject, numberAt, listAt, textAt, valueAt } from '../../discovery/kubernetes/api-object.ts';

/** Limit for bodies of mirrored requests: the filter has no setting for it. */
const MAX_BODY = '1MiB';

/** `routes[].mirror.percent` of a filter; null where the filter contradicts itself. */
export function mirrorShare(filter: unknown): number | string | null {
  const percent = numberAt(filter, 'requestMirror', 'percent');
  const fraction = valueAt(filter, 'requestMirror', 'fraction');
  if (fraction === undefined) return percent === null ? 100 : percent >= 0 && percent <= 100 ? percent : null;
  const numerator = numberAt(fraction, 'numerator') ?? -1;
  const denominator = numberAt(fraction, 'denominator') ?? 100;
  const isShare = percent === null && numerator >= 0 && numerator <= denominator && denominator > 0;
  return isShare ? `${numerator}/${denominator}` : null;
}

/**
 * Settings of the mirrors of a rule. A filter whose backend can't be resolved mirrors nothing.
 * @param upstreamOf the upstream of a backend; null where there is none
 */
export function mirrorSettings(rule: unknown, upstreamOf: (ref: unknown) => string | null): ApiObject {
  const mirror = listAt(rule, 'filters')
    .filter((one) => textAt(one, 'type') === 'RequestMirror')
    .flatMap((filter) => {
      const to = upstreamOf(valueAt(filter, 'requestMirror', 'backendRef'));
      return to === null ? [] : [{ to, percent: mirrorShare(filter), maxBody: MAX_BODY }];
    });
  return mirror.length === 0 ? {} : { mirror };
}
