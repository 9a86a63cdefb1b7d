// Configuration of the container image: the same as in the Dockerfile, which a test compares. Thread: main.

const SECOND_NS = 1_000_000_000;

/** As the member `config` of an OCI image; Healthcheck is Docker's addition. */
export const IMAGE_CONFIG = {
  User: '65532:65532',
  Env: ['PATH=/usr/local/bin:/usr/bin', 'NODE_ENV=production'],
  WorkingDir: '/opt/fairlead',
  ExposedPorts: { '8080/tcp': {} },
  StopSignal: 'SIGTERM',
  Entrypoint: ['fairlead'],
  Cmd: ['run', '--config', '/etc/fairlead/fairlead.yaml'],
  Healthcheck: {
    Test: ['CMD', 'fairlead', 'healthcheck'],
    Interval: 5 * SECOND_NS,
    Timeout: 2 * SECOND_NS,
    StartPeriod: 10 * SECOND_NS,
  },
} as const;
