// Bursts of faults: two of three endpoints are down in overlapping windows, all of them for two seconds at times, and
// between bursts they recover for one second only. A second schedule, so that settings can't fit a single one.
// Thread: main.

import { burstSchedule } from '../burst-schedule.ts';
import { availabilityAims, faultPlan, profileOf } from './faults.ts';
import type { Scenario } from './scenario.ts';

/** No goals for latency: while all endpoints are down, requests must wait. */
export const bursts: Scenario = {
  name: 'bursts',
  hasProfiles: true,
  cases: (settings) => [{ name: '', plan: faultPlan(settings, burstSchedule), profile: profileOf(settings) }],
  aims: availabilityAims,
};
