// Access to TCP listeners and routes by the address of the client. Thread: both.

import type { PolicySnapshot } from '../../../core/snapshot/policy.ts';
import { type AddressRulesData, addressMatcher } from '../../policies/address-rules.ts';

/** Built once for each policy of a Snapshot. */
const matchers = new WeakMap<PolicySnapshot, (address: string) => boolean>();

/** Whether the policies of a listener or route allow a client. @param address '' for a client over a Unix socket */
export function allows(policies: readonly PolicySnapshot[], address: string): boolean {
  return policies.every((policy) => {
    let isAllowed = matchers.get(policy);
    if (isAllowed === undefined) {
      isAllowed = addressMatcher(policy.data as AddressRulesData);
      matchers.set(policy, isAllowed);
    }
    return isAllowed(address);
  });
}
