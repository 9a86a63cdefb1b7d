// A registration in Consul for tests of the admin API. Thread: main.

import type { RegistrationView } from '../../../discovery/consul/consul-registration.ts';

export const REGISTRATION: RegistrationView = {
  id: 'fairlead-edge-1',
  service: 'fairlead',
  subject: 'Consul http://127.0.0.1:8500',
  address: '',
  port: 8080,
  state: 'current',
  confirmedAt: 0,
  cause: '',
};
