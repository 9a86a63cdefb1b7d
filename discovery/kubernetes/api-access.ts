// Access to a Kubernetes API server: the service account of a pod, or a kubeconfig. Everything is read again for each
// request, because tokens, certificates and CAs rotate. Thread: main.

import { formatHostPort } from '../../net/host-port.ts';
import type { SourceFiles } from '../source.ts';
import type { AccessSettings, ApiAccess } from './access-settings.ts';
import { accessOfKubeconfig } from './kubeconfig.ts';

/** The pod that this process runs in. */
export interface Pod {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where Kubernetes mounts the service account. */
  readonly directory: string;
}

const THIS_POD: Pod = {
  environment: process.env,
  directory: '/var/run/secrets/kubernetes.io/serviceaccount',
};

/** @throws Error whose message names what is missing or not supported */
export function loadAccess(settings: AccessSettings, files: Pick<SourceFiles, 'readText'>, pod = THIS_POD): ApiAccess {
  const read = (file: string): string => {
    try {
      return files.readText(file);
    } catch (error) {
      throw new Error(`the file ${file} ${(error as Error).message}`, { cause: error });
    }
  };
  if (settings.kubeconfig !== '') {
    return accessOfKubeconfig(read(settings.kubeconfig), { ...settings, file: settings.kubeconfig, read });
  }
  return accessOfPod(pod, read);
}

function accessOfPod({ environment, directory }: Pod, read: (file: string) => string): ApiAccess {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = Number(environment['KUBERNETES_SERVICE_PORT'] ?? '443');
  if (host === '') {
    throw new Error('this process does not run in a pod (KUBERNETES_SERVICE_HOST is not set): set "kubeconfig"');
  }
  return {
    server: `https://${formatHostPort(host, port)}`,
    ca: read(`${directory}/ca.crt`),
    cert: '',
    key: '',
    token: read(`${directory}/token`).trim(),
    serverName: '',
    verify: true,
    namespace: read(`${directory}/namespace`).trim(),
  };
}
